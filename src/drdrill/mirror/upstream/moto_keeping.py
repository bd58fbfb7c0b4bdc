"""What the delegated services know, kept as moto writes it. Implements `drdrill.aws.keeping.Keeper`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.keeping import NotKeptError

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.mirror.upstream.moto import MotoUpstream

MIRROR = "mirror.invalid"  # whom moto's process takes these from
KEEP, RESTORE = "keep", "restore"
_STATE = "moto.dill"
_OK = 204


class MotoKeeper:
    """Asks moto's process, which is another one, to write and to read a file."""

    name = "delegated"
    after: tuple[str, ...] = ()

    def __init__(self, upstream: MotoUpstream) -> None:
        self._upstream = upstream

    def keep(self, folder: Path) -> bool:
        """Have everything written; false where nobody ever asked for anything."""
        if self._upstream.started:
            self._ask(KEEP, folder / _STATE)
        return self._upstream.started

    def restore(self, kept: bool, folder: Path) -> None:
        """Have everything read."""
        if kept:
            self._ask(RESTORE, folder / _STATE)

    def _ask(self, act: str, path: Path) -> None:
        connection = self._upstream.connect()
        try:
            connection.request("POST", f"/{act}", str(path), {"Host": MIRROR})
            reply = connection.getresponse()
            said = reply.read().decode(errors="replace")
        except OSError as error:
            raise NotKeptError(f"moto does not answer: {error}") from error
        finally:
            connection.close()
        if reply.status != _OK:
            raise NotKeptError(f"moto could not {act} what it knows: {said}")
