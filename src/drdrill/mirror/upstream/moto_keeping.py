"""What the delegated services know, kept as moto writes it. Implements `drdrill.aws.keeping.Keeper`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.keeping import NotKeptError
from drdrill.mirror.upstream.moto import MotoUpstream

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.aws.upstream import Upstream

MIRROR_HEADER = "x-drdrill-mirror"  # what moto's process knows the mirror by
KEEP, RESTORE = "keep", "restore"
_STATE = "moto.dill"
_OK = 204


class DelegatedKeeper:
    """Asks moto's process, which is another one, to write and to read a file. Another upstream cannot be asked that."""

    name = "delegated"
    after: tuple[str, ...] = ()

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def keep(self, folder: Path) -> bool:
        """Have everything written; false where nobody ever asked for anything."""
        moto = self._require_moto()
        if moto.started:
            self._ask(moto, KEEP, folder / _STATE)
        return moto.started

    def restore(self, kept: bool, folder: Path) -> None:
        """Have everything read."""
        if kept:
            self._ask(self._require_moto(), RESTORE, folder / _STATE)

    def _require_moto(self) -> MotoUpstream:
        if not isinstance(self._upstream, MotoUpstream):
            raise NotKeptError(f"what {self._upstream.name} knows cannot be written down.")
        return self._upstream

    @staticmethod
    def _ask(moto: MotoUpstream, act: str, path: Path) -> None:
        connection = moto.connect()
        try:
            connection.request("POST", f"/{act}", str(path), {MIRROR_HEADER: moto.secret})
            reply = connection.getresponse()
            said = reply.read().decode(errors="replace")
        except OSError as error:
            raise NotKeptError(f"moto does not answer: {error}") from error
        finally:
            connection.close()
        if reply.status != _OK:
            raise NotKeptError(f"moto could not {act} what it knows: {said}")
