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

    from drdrill.aws.apigatewayv2 import GatewayRegion
    from drdrill.aws.eks import EksRegion
    from drdrill.aws.elasticache.keeping import OpenedRegion
    from drdrill.aws.elbv2 import ElbRegion
    from drdrill.aws.keeping import Keeper
    from drdrill.aws.rds import RdsRegion
    from drdrill.aws.route53 import ControlPlane
    from drdrill.aws.upstream import Upstream
    from drdrill.mirror.delivery.machine import DeliveryMachine
    from drdrill.mirror.object_replication import ObjectReplication

_RECORDS = "records.pickle"


class Keeping:
    """Everything that can be kept of a mirror, by its parts. `open_keepers` is called when they are needed."""

    def __init__(self, open_keepers: Callable[[], Sequence[Keeper]]) -> None:
        self._open_keepers = open_keepers

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return what can be asked for over the control socket, by name."""
        return {"keep_system": self.keep, "restore_system": self.restore_from}

    def keep(self, folder: str) -> Mapping[str, Any]:
        """Write everything into an empty folder; raises `NotKeptError` when something cannot be kept as it is."""
        kept: list[str] = []
        for keeper in self._open_keepers():
            own = Path(folder) / keeper.name
            own.mkdir()
            records = keeper.keep(own)
            (own / _RECORDS).write_bytes(pickle.dumps(records))
            kept.append(keeper.name)
        return {"kept": kept}

    def restore_from(self, folder: str) -> Mapping[str, Any]:
        """Make everything again of a folder that `keep` wrote."""
        self.restore(Path(folder))
        return {}

    def restore(self, folder: Path) -> None:
        """Make everything of what was kept, side by side as far as it does not need each other.

        Raises what the first part raised that could not be made; the others may be on their way then.
        """
        keepers = self._open_keepers()
        there = {keeper.name: threading.Event() for keeper in keepers}
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

        pool = ThreadPoolExecutor(len(keepers), thread_name_prefix="restore")
        try:
            futures: list[Future[None]] = [pool.submit(restore, one) for one in keepers]
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        finally:
            pool.shutdown(wait=False)  # one that failed is told at once: the world is taken down


def _restore_one(keeper: Keeper, folder: Path) -> None:
    try:
        kept = pickle.loads((folder / _RECORDS).read_bytes())  # noqa: S301 (our own, of a folder that only we write)
    except Exception as error:  # pickle raises whatever the bytes lead it to
        raise NotKeptError(f"what was kept of {keeper.name} cannot be read: {error}") from error
    keeper.restore(kept, folder)


def open_keepers(
    upstream: Upstream,
    *,
    rds: Mapping[str, RdsRegion],
    eks: Mapping[str, EksRegion],
    elbv2: Mapping[str, ElbRegion],
    apis: Mapping[str, GatewayRegion],
    caches: Mapping[str, OpenedRegion],
    objects: ObjectReplication,
    route53: ControlPlane,
    home: Path,
    delivery: DeliveryMachine,
) -> tuple[Keeper, ...]:
    """Return what keeps each part of a mirror; imported only by who keeps something, or makes it again."""
    from drdrill.aws.apigatewayv2.keeping import GatewayKeeper  # noqa: PLC0415
    from drdrill.aws.eks.keeping import EksKeeper  # noqa: PLC0415
    from drdrill.aws.elasticache.keeping import CacheKeeper  # noqa: PLC0415
    from drdrill.aws.elbv2.keeping import ElbKeeper  # noqa: PLC0415
    from drdrill.aws.rds.keeping import RdsKeeper  # noqa: PLC0415
    from drdrill.aws.route53.keeping import Route53Keeper  # noqa: PLC0415
    from drdrill.mirror.delivery.keeping import DeliveryKeeper  # noqa: PLC0415
    from drdrill.mirror.operator_keeping import OperatorKeeper  # noqa: PLC0415
    from drdrill.mirror.upstream.moto_keeping import DelegatedKeeper  # noqa: PLC0415

    return (
        objects.keeper,  # first: once it says that nothing is pending, the delegated buckets have all that was written
        DelegatedKeeper(upstream),
        RdsKeeper(rds),
        EksKeeper(eks),
        ElbKeeper(elbv2),
        GatewayKeeper(apis),
        CacheKeeper(caches),
        Route53Keeper(route53),
        OperatorKeeper(home),
        DeliveryKeeper(delivery),
    )
