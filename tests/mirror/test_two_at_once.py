"""Primary and standby lost at once: no row is lost, the instance comes back, and nothing waits without bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, Injection, StoreRole
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.mirror.standing import EVERY, INSTANCE, WITHIN, Standing, copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Bring a mirror up for this module and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as environment:
        standing = Standing(environment)
        standing.query("create table witness (said text not null)")
        yield standing


def _inject(mirror: Standing, kind: str, role: StoreRole) -> Injection:
    request = FaultRequest(kind=kind, store="payments-database", resource=INSTANCE, role=role)
    return mirror.environment.faults.inject(request)


def _write(mirror: Standing, said: str) -> None:
    mirror.await_protected()
    mirror.query(f"insert into witness values ('{said}')")  # noqa: S608  (ours)


def _has(mirror: Standing, said: str) -> bool:
    return mirror.query(f"select count(*) from witness where said = '{said}'") == "1"  # noqa: S608  (ours)


@pytest.mark.parametrize("second", [StoreRole.STANDBY, StoreRole.PRIMARY])
def test_both_hang(mirror: Standing, second: StoreRole) -> None:
    """Where primary and standby hang, whichever first, the promotion is given up, and the primary starts again."""
    _write(mirror, f"before both hang, {second} last")
    first = StoreRole.PRIMARY if second is StoreRole.STANDBY else StoreRole.STANDBY
    broken = [_inject(mirror, "process_hang", role) for role in (first, second)]
    try:
        wait_until(
            lambda: mirror.store().status != "available", what="the loss noticed", within=WITHIN, every=EVERY
        )
        mirror.await_status(INSTANCE, "available")
        assert _has(mirror, f"before both hang, {second} last")
        mirror.await_protected()
    finally:
        for injection in broken:
            mirror.environment.faults.heal(injection)


def test_the_primary_is_lost_and_the_standby_hangs(mirror: Standing) -> None:
    """A standby that hangs, and alone has every row, is started anew, and takes over."""
    _write(mirror, "before the loss")
    hanging = _inject(mirror, "process_hang", StoreRole.STANDBY)
    dark = _inject(mirror, "host_power_loss", StoreRole.PRIMARY)
    try:
        before = mirror.store()
        wait_until(
            lambda: mirror.store().promotions > before.promotions, what="failover", within=WITHIN, every=EVERY
        )
        mirror.await_status(INSTANCE, "available")
        assert _has(mirror, "before the loss")
    finally:
        for injection in (hanging, dark):
            mirror.environment.faults.heal(injection)
    mirror.await_protected()


def test_a_reboot_of_what_hangs(mirror: Standing) -> None:
    """Who reboots an instance whose primary hangs gets one that serves: it is available only then."""
    _write(mirror, "before the reboot")
    injection = _inject(mirror, "process_hang", StoreRole.PRIMARY)
    try:
        answer = mirror.ask_aws("reboot_db_instance", DBInstanceIdentifier=INSTANCE)
        assert answer.get("error") in (None, "InvalidDBInstanceState")
        wait_until(
            lambda: mirror.store().status != "available", what="the reboot", within=WITHIN, every=EVERY
        )
        mirror.await_status(INSTANCE, "available")
        assert _has(mirror, "before the reboot")
    finally:
        mirror.environment.faults.heal(injection)


@pytest.mark.parametrize("twice", [False, True])
def test_both_lose_their_power(mirror: Standing, twice: bool) -> None:
    """Without any machine an instance is down; it comes back with the power, with every row, as often as it is lost."""
    _write(mirror, f"before the dark, {twice}")
    for _ in range(1 + twice):
        injection = _inject(mirror, "all_hosts_power_loss", StoreRole.PRIMARY)
        mirror.await_status(INSTANCE, "rebooting")
        mirror.environment.faults.heal(injection)
        if not twice:
            mirror.await_status(INSTANCE, "available")
        twice_lost = mirror.await_protected()
        assert twice_lost.status == "available"
    assert _has(mirror, f"before the dark, {twice}")
