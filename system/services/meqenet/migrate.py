"""Brings the schema of a database up to date: `python -m meqenet.migrate payments|users`.

Several may run at once: an advisory lock lets one after the other. A read-only database has the schema of its source.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL

from meqenet.password import Password
from meqenet.settings import SettingsError, read_database

DATABASES = ("payments", "users")


def main(arguments: list[str]) -> int:
    """Migrate one database; 2: it was called in a wrong way."""
    if len(arguments) != 1 or arguments[0] not in DATABASES:
        print(f"usage: python -m meqenet.migrate {'|'.join(DATABASES)}", file=sys.stderr)
        return 2
    try:
        settings = read_database(os.environ)
    except SettingsError as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 2
    url = URL.create(
        "postgresql+psycopg", settings.user, Password(settings).read(), settings.host, settings.port, settings.name
    )  # fmt: skip
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations" / arguments[0]))
    config.attributes["url"] = url
    command.upgrade(config, "head")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
