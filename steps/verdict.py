"""Then: what the verdict says. These steps only read it, so a first one that fails hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import then

if TYPE_CHECKING:
    from drdrill.drill import Drill


@then("the drill is valid")
def drill_is_valid(drill: Drill) -> None:
    """Fault, load, steady state, user impact and controls were as stated."""
    drill.require_valid()


@then("the service was back within its recovery time objective")
@then("every service was back within its recovery time objective")
def recovery_time_is_met(drill: Drill) -> None:
    """The RTO of every judged service is met, measured here and projected to production."""
    drill.require_objective("rto")


@then("no more was lost than the recovery point objective allows")
def recovery_point_is_met(drill: Drill) -> None:
    """The RPO is met, measured here and projected to production."""
    drill.require_objective("rpo")


@then("every surviving row is one that a user wrote, and one server wrote at a time")
@then("every surviving row is one that a user wrote, and one region wrote at a time")
def rows_are_intact(drill: Drill) -> None:
    """Nothing is lost without explanation, altered, duplicated or phantom; there were never two writers."""
    drill.require_intact_rows()


@then("nobody failed over, and users were served all along")
def nobody_failed_over(drill: Drill) -> None:
    """The runbook ended at its detection, the system is as it was, and no judged service had a break."""
    drill.require_stayed()


@then("the restore test found that the backup lacks payments, and which")
def lack_is_found(drill: Drill) -> None:
    """The restored rows were compared with what users had been told, and the planted lack was found."""
    drill.require_restored()


@then("what was restored is what users had been told by then, row by row")
def restore_is_proven(drill: Drill) -> None:
    """The restored rows were read before users came, and none is missing, altered or too young."""
    drill.require_restored()


@then("redundancy was back within its objective")
def redundancy_is_back(drill: Drill) -> None:
    """The time to re-protection is met, measured here and projected to production."""
    drill.require_objective("re_protection")
