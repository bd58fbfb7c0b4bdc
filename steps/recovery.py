"""When: users lose the system, and it recovers, by itself or by the company's failover code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import parsers, when

if TYPE_CHECKING:
    from drdrill.drill import Drill


@when("users are not served any more")
def wait_for_users_to_be_hit(drill: Drill) -> None:
    """Wait until users notice the fault."""
    drill.await_outage()


@when(parsers.re(r"AWS says that the database is (?P<status>[a-z-]+)"))
def wait_for_a_status(drill: Drill, status: str) -> None:
    """Wait until AWS's API gives the database this status."""
    drill.await_status(status)


@when("the operator promotes the replica in the recovery region")
def promote_the_replica(drill: Drill) -> None:
    """Have the company's code promote its read replica and point the database's name at it."""
    drill.fail_over("promote_replica")


@when("the operators run the failover's runbook")
def run_the_runbook(drill: Drill) -> None:
    """Have the company's runbook run as its operators would, gates answered by policy."""
    drill.operators.run_runbook()


@when("the operators run the failover's runbook, and meanwhile the primary region has its power back")
def run_the_runbook_while_the_region_returns(drill: Drill) -> None:
    """Have it run, and give the primary region its power back at a moment between declaration and switch."""
    drill.regions.run_runbook_while_primary_returns()


@when("the operators run the failover's runbook, and meanwhile a zone beside the databases loses power")
def run_the_runbook_while_a_zone_is_lost(drill: Drill) -> None:
    """Have it run, and cut the power of a zone of the recovery region in which no database stands.

    When: at a moment between declaration and switch.
    """
    drill.regions.run_runbook_while_zone_is_lost(with_databases=False)


@when("the operators run the failover's runbook, and meanwhile the databases' zone loses power")
def run_the_runbook_while_the_databases_are_lost(drill: Drill) -> None:
    """Have it run, and cut the power of the zone in which the recovery region's databases stand, at such a moment."""
    drill.regions.run_runbook_while_zone_is_lost(with_databases=True)


@when("the operators have names lead to what serves")
def settle_the_names(drill: Drill) -> None:
    """Have the company's code bring Route 53's records to what serves, now that they can be changed again."""
    drill.fail_over("settle_names")


@when(
    parsers.re(
        r"the operators' machine dies (?:(?P<times>[1-9]\d*) times(?P<inside> inside of steps)?|as every step ends) "
        r"while they run the failover's runbook"
    )
)
def run_the_runbook_and_die(drill: Drill, times: str | None, inside: str | None) -> None:
    """Have the company's runbook run on a machine that dies in the middle, and resumed until it is done."""
    where = "boundary" if times is None else "inside" if inside else "anywhere"
    drill.operators.run_runbook(None if times is None else int(times), where)


@when("users are served on beside what came back")
def wait_for_users_to_be_served_on(drill: Drill) -> None:
    """Wait until users are seen served for the stability time beside what has its power back."""
    drill.await_recovery(once_more=True)


@when("users are served again")
def wait_for_users_to_be_served(drill: Drill) -> None:
    """Wait until users are served again, stably."""
    drill.await_recovery()


@when("the operator restores the database to the last second before it")
def restore_to_before_the_fault(drill: Drill) -> None:
    """Have the company's code restore the database beside the damaged one, and look at its rows."""
    drill.restoring.restore_to_before_the_fault()


@when("the restored database takes the place of the damaged one")
def put_the_restored_database_in_place(drill: Drill) -> None:
    """Have the company's code give the restored database the name."""
    drill.restoring.put_in_place()


@when("the operator takes a backup of the database")
def take_a_backup(drill: Drill) -> None:
    """Have the company's code take a snapshot."""
    drill.fail_over("back_up_database", drill.resource)


@when("the operator restores the newest backup beside the database")
def restore_the_backup(drill: Drill) -> None:
    """Have the company's code restore the newest snapshot as a test, and look at its rows."""
    drill.restoring.restore_backup()


@when("the operator removes what was restored")
def end_the_restore_test(drill: Drill) -> None:
    """Have the company's code remove the database that was restored as a test."""
    drill.restoring.remove_restored()


@when("the database is protected again")
def wait_for_protection(drill: Drill) -> None:
    """Wait until redundancy is back."""
    drill.await_protection()
