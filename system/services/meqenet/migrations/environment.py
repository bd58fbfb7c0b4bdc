"""How migrations run: all in one transaction, one program at a time, and none on a read-only database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

_LOCK = 0x6D657165  # any number that all of them know


def run() -> None:
    """Run what is due on the database that `meqenet.migrate` names."""
    engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
    with engine.connect() as connection:
        if connection.execute(text("select pg_is_in_recovery()")).scalar_one():
            print("the database is read-only: its schema is that of its source")
            return
        context.configure(connection=connection)
        with context.begin_transaction():
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            context.run_migrations()
        connection.commit()
