"""The password of a database: from a file, or from the Secrets Manager of the service's own region.

Kept for a minute: a password that was changed is known soon, and a Secrets Manager that is away is not noticed.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

if TYPE_CHECKING:
    from meqenet.settings import DatabaseSettings

_KEPT_SECONDS = 60.0


class Password:
    """Reads it again when it is older than a minute; an older one serves where it cannot be read."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._known = ""
        self._read_at = 0.0

    async def get(self) -> str:
        """Return the password; raises what reading it raises while none is known."""
        if not self._known or time.monotonic() - self._read_at > _KEPT_SECONDS:
            try:
                self._known = await run_sync(self.read)
            except Exception:
                if not self._known:
                    raise
            self._read_at = time.monotonic()
        return self._known

    def read(self) -> str:
        """Read it where it is kept. Blocks."""
        if self._settings.password_file:
            return Path(self._settings.password_file).read_text(encoding="utf-8").strip()
        from meqenet.secret_store import read_secret  # noqa: PLC0415  (a file needs none of it)

        secret = read_secret(self._settings.secret, self._settings.region)
        return str(json.loads(secret)["password"])
