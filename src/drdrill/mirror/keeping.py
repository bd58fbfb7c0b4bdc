"""Keeping a whole system and making it again, inside the world: every control plane's part in a folder of its own."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.aws.keeping import NotKeptError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.keeping import Keeper

_RECORDS = "records.pickle"


class Keeping:
    """Everything that can be kept of a mirror, by its parts."""

    def __init__(self, keepers: Sequence[Keeper]) -> None:
        self._keepers = {keeper.name: keeper for keeper in keepers}

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return what can be asked for over the control socket, by name."""
        return {"keep_system": self.keep, "restore_system": self.restore_from}

    def keep(self, folder: str) -> Mapping[str, Any]:
        """Write everything into an empty folder; raises `NotKeptError` when something cannot be kept as it is."""
        for name, keeper in self._keepers.items():
            own = Path(folder) / name
            own.mkdir()
            records = keeper.keep(own)
            (own / _RECORDS).write_bytes(pickle.dumps(records))
        return {"kept": list(self._keepers)}

    def restore_from(self, folder: str) -> Mapping[str, Any]:
        """Make everything again of a folder that `keep` wrote."""
        self.restore(Path(folder))
        return {"restored": list(self._keepers)}

    def restore(self, folder: Path) -> None:
        """Make everything of what was kept, side by side as far as it does not need each other.

        Raises what the first part raised that could not be made; the others may be on their way then.
        """
        there = {name: threading.Event() for name in self._keepers}
        failed = threading.Event()

        def restore(keeper: Keeper) -> None:
            for name in keeper.after:
                while not there[name].wait(0.1):
                    if failed.is_set():
                        return
            try:
                _restore_one(keeper, folder / keeper.name)
            except BaseException:
                failed.set()
                raise
            there[keeper.name].set()

        with ThreadPoolExecutor(len(self._keepers) or 1, thread_name_prefix="restore") as pool:
            futures: list[Future[None]] = [pool.submit(restore, one) for one in self._keepers.values()]
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()


def _restore_one(keeper: Keeper, folder: Path) -> None:
    try:
        kept = pickle.loads((folder / _RECORDS).read_bytes())  # noqa: S301 (our own, of a folder that only we write)
    except Exception as error:  # pickle raises whatever the bytes lead it to
        raise NotKeptError(f"what was kept of {keeper.name} cannot be read: {error}") from error
    keeper.restore(kept, folder)
