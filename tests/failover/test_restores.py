"""The company's restores: run again after the laptop died they go on, and what is not theirs is not touched."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from failover import replace_database, restore_backup, restore_database
from failover._telling import StoppedError
from tests.failover.fake_rds import TO, FakeRds, LaptopDiedError

if TYPE_CHECKING:
    from collections.abc import Callable

DAMAGED = "orders-damaged-20261128-190500"
RENAMED, RESTORED = f"rename orders {DAMAGED}", "restore orders-restored"
REPLACED = "rename orders-restored orders"


@pytest.fixture(autouse=True)
def _no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK's waiters look again at once."""
    monkeypatch.setattr(time, "sleep", lambda _: None)


def _restore(client: Any) -> None:
    restore_database.restore(client, "orders", TO)


def _replace(client: Any) -> None:
    replace_database.replace(client, "orders")


def _test_backup(client: Any) -> None:
    restore_backup.restore(client, "orders")


def _end_test(client: Any) -> None:
    restore_backup.remove(client, "orders")


def _make(*names: str, slow: bool = False) -> FakeRds:
    rds = FakeRds(slow=slow)
    for name in names:
        rds.add(name, data_class="core")
    return rds


@pytest.mark.parametrize("before", [True, False], ids=["not-sent", "not-heard"])
@pytest.mark.parametrize("slow", [True, False], ids=["slow", "at-once"])
@pytest.mark.parametrize(
    ("do", "there", "changes"),
    [
        (_restore, ["orders"], [RENAMED, RESTORED]),
        (_replace, ["orders-restored"], [REPLACED]),
        (_test_backup, ["orders"], ["restore orders-restore-test"]),
        (_end_test, ["orders", "orders-restore-test"], ["delete orders-restore-test"]),
    ],
)
def test_run_again_it_goes_on(
    do: Callable[[Any], None], there: list[str], changes: list[str], slow: bool, before: bool
) -> None:
    """Whichever call the laptop died at: run again, everything was done once, and nothing twice."""
    for dies_at in range(100):
        rds = _make(*there, slow=slow)
        if do is _replace:
            rds.add("orders-restored", restored_from=DAMAGED)
        rds.dies_at, rds.dies_before = dies_at, before
        try:
            do(rds.client())
        except LaptopDiedError:
            do(rds.client())
            assert rds.changes == changes
        else:
            assert dies_at > len(changes), "it died at no call at all"
            return
    pytest.fail("it asks without end")


def test_what_was_put_in_its_place_is_not_set_aside() -> None:
    """Run once more when all is done, also when the damaged one is deleted: nothing is touched."""
    rds = _make("orders")
    for do in (_restore, _replace):
        do(rds.client())
    assert rds.changes == [RENAMED, RESTORED, REPLACED]
    for _ in range(2):
        _restore(rds.client())
        _replace(rds.client())
        rds.instances.pop(DAMAGED, None)
    assert rds.changes == [RENAMED, RESTORED, REPLACED]


def test_what_was_put_in_place_before_is_said() -> None:
    """Whoever runs it for another damage than the last one sees from when the database is that has the name."""
    rds = _make("orders")
    _restore(rds.client())
    assert replace_database.replace(rds.client(), "orders", TO).startswith("orders is in place")
    said = replace_database.replace(rds.client(), "orders")
    assert said == f"orders was in place already, restored from {DAMAGED} to {TO.isoformat()}"
    assert replace_database.replace(rds.client(), "orders", TO) == said
    with pytest.raises(StoppedError, match="and not to 2026-11-28T20:05:00") as stopped:
        replace_database.replace(rds.client(), "orders", TO + timedelta(hours=1))
    assert "What to do: " in str(stopped.value)


def test_another_restore_than_was_asked_for_is_not_put_in_place() -> None:
    """The one that is there may be of another damage."""
    rds = _make("orders")
    _restore(rds.client())
    with pytest.raises(StoppedError, match="orders-restored is restored from"):
        replace_database.replace(rds.client(), "orders", TO + timedelta(hours=1))
    assert rds.changes == [RENAMED, RESTORED]


def test_a_database_that_was_set_aside_later_is_still_to_be_replaced() -> None:
    """What was restored for an earlier damage is no answer to a later one."""
    rds = _make("orders")
    for do in (_restore, _replace):
        do(rds.client())
    rds.add("orders-damaged-20261129-080000")
    with pytest.raises(StoppedError, match="orders-damaged-20261129-080000 was set aside after that"):
        _replace(rds.client())


def test_a_second_bad_statement() -> None:
    """What was restored once is set aside as anything else, and the next one says where it comes from itself."""
    rds = _make("orders")
    for moment in (TO, TO + timedelta(hours=1)):
        restore_database.restore(rds.client(), "orders", moment)
        replace_database.replace(rds.client(), "orders")
    assert sorted(rds.instances) == ["orders", DAMAGED, "orders-damaged-20261128-200500"]
    assert rds.tags_of("orders") == {
        "data-class": "core",
        "restored-from": "orders-damaged-20261128-200500",
        "restored-to": "2026-11-28T20:05:00+00:00",
    }


@pytest.mark.parametrize(
    ("do", "there", "said"),
    [
        (_restore, ["orders", "orders-restored"], "orders-restored exists, and is not"),
        (_restore, ["orders", DAMAGED], "a orders that was not restored from it"),
        (_restore, ["orders-damaged-20261128-180000"], "was it set aside for another moment"),
        (_restore, [], "neither orders nor"),
        (_replace, ["orders"], "There is no orders-restored"),
        (_replace, ["orders", "orders-restored"], "cannot have its name"),
        (_test_backup, ["orders", "orders-restore-test"], "is not s-1, the newest snapshot"),
    ],
)
def test_what_is_somebody_elses_is_not_touched(
    do: Callable[[Any], None], there: list[str], said: str
) -> None:
    """It stops, says why and what to do, and has changed nothing."""
    rds = _make(*there)
    with pytest.raises(StoppedError, match=said) as stopped:
        do(rds.client())
    assert "What to do: " in str(stopped.value)
    assert rds.changes == []


def test_nothing_to_be_removed() -> None:
    """What is gone already is no error."""
    rds = _make("orders")
    _end_test(rds.client())
    assert rds.changes == []
