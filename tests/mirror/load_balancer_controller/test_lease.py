"""The lease: one replica works at a time, and another one goes on when that is lost."""

from __future__ import annotations

from drdrill.mirror.load_balancer_controller.lease import Lease
from tests.mirror.load_balancer_controller.fakes import Api, ManualClock


def _two(api: Api, clock: ManualClock) -> tuple[Lease, Lease]:
    return Lease(api, "controller", "one", clock), Lease(api, "controller", "two", clock)


def _renew(*leases: Lease) -> list[bool]:
    """Let each renew, and return which of them hold it then."""
    for lease in leases:
        lease.renew()
    return [lease.hold() for lease in leases]


def test_the_first_works_and_the_other_waits() -> None:
    """For as long as the first one renews its lease."""
    api, clock = Api(), ManualClock()
    leases = _two(api, clock)
    for _ in range(20):
        assert _renew(*leases) == [True, False]
        clock.sleep(2)


def test_a_lost_one_is_replaced_when_its_lease_is_over() -> None:
    """15 s after it was last seen renewed, by the clock of who waits; the old one does not work on when it is back."""
    api, clock = Api(), ManualClock()
    first, second = _two(api, clock)
    assert _renew(first, second) == [True, False]
    clock.sleep(14)
    assert _renew(second) == [False]
    clock.sleep(2)
    assert _renew(second) == [True]
    assert _renew(first, second) == [False, True]


def test_who_cannot_renew_stops_before_another_begins() -> None:
    """Its lease is good for 15 s; it gives up after 10 s."""
    api, clock = Api(), ManualClock()
    first, _ = _two(api, clock)
    assert _renew(first) == [True]
    api.silent = True
    clock.sleep(9)
    assert _renew(first) == [True]
    clock.sleep(2)
    assert _renew(first) == [False]


def test_of_two_that_take_it_at_once_one_has_it() -> None:
    """The API server refuses the second one's write."""
    api, clock = Api(), ManualClock()
    first, second = _two(api, clock)
    assert _renew(first) == [True]
    clock.sleep(30)
    api.taken = True
    assert _renew(second) == [False]
