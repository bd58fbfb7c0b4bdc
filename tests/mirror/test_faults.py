"""The mirror's faults, one after the other in one standing mirror: each shows, heals twice, and costs no row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import UsageError
from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, Injection, StoreRole
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.mirror.standing import EVERY, INSTANCE, WITHIN, Standing, copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.drill
STORE = "payments-database"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Bring a mirror up for this module and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as environment:
        standing = Standing(environment)
        standing.query("create table witness (said text not null)")
        yield standing


def _inject(mirror: Standing, kind: str, role: StoreRole = StoreRole.PRIMARY) -> Injection:
    mirror.await_protected()
    return mirror.environment.faults.inject(FaultRequest(kind, STORE, INSTANCE, role))


def _await_effect(mirror: Standing, injection: Injection) -> None:
    faults = mirror.environment.faults
    wait_until(
        lambda: faults.observe_effect(injection)["effective"], what="the effect", within=WITHIN, every=EVERY
    )


def _heal_twice(mirror: Standing, injection: Injection) -> None:
    faults = mirror.environment.faults
    for _ in range(2):
        faults.heal(injection)
    wait_until(
        lambda: faults.observe_healed(injection)["healed"], what="the healing", within=WITHIN, every=EVERY
    )


@pytest.mark.parametrize("kind", ["process_kill", "process_hang", "zone_partition"])
def test_a_primary_that_does_not_answer_is_replaced(mirror: Standing, kind: str) -> None:
    """Killed, hung or cut off: the standby takes over under the same name with every row, and a new standby comes."""
    mirror.query(f"insert into witness values ('before {kind}')")  # noqa: S608 (a word of ours)
    before = mirror.await_protected()
    injection = _inject(mirror, kind)
    try:
        _await_effect(mirror, injection)
        wait_until(
            lambda: mirror.store().promotions > before.promotions, what="failover", within=WITHIN, every=EVERY
        )
        mirror.await_status(INSTANCE, "available")
        after = mirror.await_protected()
    finally:
        _heal_twice(mirror, injection)
    assert mirror.query(f"select count(*) from witness where said = 'before {kind}'") == "1"  # noqa: S608
    assert injection.resource not in [member.host for member in after.members]


@pytest.mark.parametrize("kind", ["process_kill", "process_hang", "zone_partition"])
def test_a_standby_that_does_not_answer_is_replaced(mirror: Standing, kind: str) -> None:
    """The primary carries on without a standby that is killed, hung or cut off, and gets another one."""
    before = mirror.await_protected()
    injection = _inject(mirror, kind, StoreRole.STANDBY)
    try:
        _await_effect(mirror, injection)
        mirror.query("insert into witness values ('without a standby')")
        wait_until(
            lambda: injection.resource not in [member.host for member in mirror.store().members],
            what="another standby", within=WITHIN, every=EVERY,
        )  # fmt: skip
        after = mirror.await_protected()
    finally:
        _heal_twice(mirror, injection)
    assert after.promotions == before.promotions
    assert injection.resource not in [member.host for member in mirror.await_protected().members]


def test_a_full_disk(mirror: Standing) -> None:
    """AWS says `storage-full` and nobody fails over; with space again the same server is available."""
    before = mirror.await_protected()
    injection = _inject(mirror, "disk_full")
    try:
        _await_effect(mirror, injection)
        mirror.await_status(INSTANCE, "storage-full")
    finally:
        _heal_twice(mirror, injection)
    mirror.await_status(INSTANCE, "available")
    mirror.query("insert into witness values ('there is space')")
    assert mirror.store().promotions == before.promotions


def test_both_hosts_at_once(mirror: Standing) -> None:
    """When both hosts lose power nobody takes over; with power again the primary is back with every row."""
    mirror.query("insert into witness values ('before both were lost')")
    before = mirror.await_protected()
    injection = _inject(mirror, "all_hosts_power_loss")
    try:
        _await_effect(mirror, injection)
        mirror.await_status(INSTANCE, "rebooting")
    finally:
        _heal_twice(mirror, injection)
    mirror.await_status(INSTANCE, "available")
    assert mirror.query("select count(*) from witness where said = 'before both were lost'") == "1"
    after = mirror.await_protected()
    assert after.promotions == before.promotions
    assert {member.host for member in before.members} - {member.host for member in after.members}


def test_what_nobody_knows_to_break(mirror: Standing) -> None:
    """A kind that the mirror does not have is refused before anything is touched."""
    with pytest.raises(UsageError, match="cannot inject `flood`"):
        mirror.environment.faults.inject(FaultRequest("flood", STORE, INSTANCE, StoreRole.PRIMARY))
