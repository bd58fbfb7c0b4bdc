"""Broken runbooks for the lost region that believe themselves: no drill of them is MET, and each says what is wrong.

All of their validations are always true, so that only what the drill sees by itself can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sabotage.region_copy import RUNBOOK, RegionCopy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sabotage.drill_copy import Ended

pytestmark = [pytest.mark.drill, pytest.mark.long]
VALIDATIONS = ("direct_validation", "validation", "other_validation")
NOTICES = ("first_notice", "switch_notice", "last_notice")


@pytest.fixture
def region_copy(tmp_path: Path) -> RegionCopy:
    """Return a copy of the repository whose runbook validates nothing."""
    copy = RegionCopy(tmp_path / "copy")
    copy.spoil(*VALIDATIONS)
    return copy


def _require(ended: Ended, code: str, *words: str) -> None:
    """Demand a miss for a reason with this code, whose text has these words."""
    texts = [one["text"] for one in ended.verdict["reasons"] if one["code"] == code]
    told = "\n".join(f"{one['code']}: {one['text']}" for one in ended.verdict["reasons"])
    assert ended.verdict["verdict"] == "MISSED", told
    assert any(all(word in text for word in words) for text in texts), told


def test_users_are_not_switched(region_copy: RegionCopy) -> None:
    """Without the change of names, users are led to what is lost."""
    region_copy.spoil("switch", "drain")
    _require(region_copy.run(), "led_nowhere", "api.meqenet.et leads to 10.20.")


def test_the_wrong_instance_is_promoted(region_copy: RegionCopy) -> None:
    """Promoted twice is the users' database, and that of payments takes no writes."""
    promote = (
        "python -m failover.promote_replica --replica=users-recovery --name=users-database.meqenet.internal"
    )
    # Believed when it was done at all: what is believed from the beginning would not even be tried.
    action = ["sh", "-c", f"{promote} --without-standby && touch promoted"]
    region_copy.spoil("payments_database", action=action, verify=["test", "-f", "promoted"])
    region_copy.spoil("critical_services", "other_services", "scale_up", "users_database")
    ended = region_copy.run()
    assert ended.verdict["verdict"] != "MET"
    assert {one["subject"] for one in ended.verdict["objectives"] if one["measured"]["verdict"] != "MET"} >= {
        "payments"
    }
    (told,) = (
        one["text"]
        for one in ended.verdict["findings"]
        if one["code"] == "not_served" and "users of payments" in one["text"]
    )
    assert "the database is read-only" in told


def test_nothing_is_deployed(region_copy: RegionCopy) -> None:
    """A pilot light that serves users carries less than production did."""
    region_copy.spoil("critical_services", "other_services")
    _require(region_copy.run(), "capacity_missing", "payments 1 of 3")


def test_half_of_the_nodes(region_copy: RegionCopy) -> None:
    """Two nodes in the place of three are told with their numbers."""
    region_copy.replace(
        "failover/restore_autoscaling.py",
        'return Limits(said["minimum"], said["desired"], said["maximum"])',
        'return Limits(2, 2, said["maximum"])',
    )
    region_copy.spoil("scale_up")
    _require(region_copy.run(), "capacity_missing", "eu-central-1 has 2 nodes", "eu-west-1 had 3")


def test_users_are_never_told(region_copy: RegionCopy) -> None:
    """A recovery of which users hear nothing is not what the plan says."""
    region_copy.spoil(*NOTICES)
    _require(region_copy.run(), "users_not_told")


def test_a_step_that_needs_the_dead_region(region_copy: RegionCopy) -> None:
    """A hidden dependency shows as the step that never comes to its end, in its own words."""
    region_copy.spoil(
        "secrets",
        action=["aws", "--region", "eu-west-1", "--cli-connect-timeout", "5", "secretsmanager", "list-secrets"],
        verify=["aws", "--region", "eu-west-1", "--cli-connect-timeout", "5", "secretsmanager", "list-secrets"],
    )  # fmt: skip
    _require(region_copy.run(), "runbook_not_done", "secrets", "secretsmanager.eu-west-1.amazonaws.com")


def test_the_way_that_needs_route_53(region_copy: RegionCopy) -> None:
    """When its control plane is lost as well, the plan's own runbook comes no further than its first step."""
    region_copy.replace(
        "scenarios/plan.yaml", "runbook: failover/runbook_data_plane.yaml", f"runbook: {RUNBOOK}"
    )
    ended = region_copy.run("region_and_route53_lost")
    _require(ended, "runbook_not_done", "detection", "AWS refused ListHealthChecks")


def test_a_detection_that_always_says_yes(region_copy: RegionCopy) -> None:
    """Whoever fails over from a region that serves its users is told so, whatever the failover was worth."""
    region_copy.spoil("detection")
    _require(region_copy.run("region_control_plane_lost"), "failed_over_needlessly", "went on to", "`fence`")
