"""Drills that prove nothing must say so: INVALID, exit status 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sabotage.drill_copy import FEATURE, DrillCopy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.drill
LOSES_POWER = "    When the host of the database's primary loses power\n"


def test_a_drill_that_nobody_spoilt_is_met(drill_copy: DrillCopy) -> None:
    """The copy as it stands is MET, so that in every other test it is the sabotage that decides."""
    ended = drill_copy.run()
    assert (ended.document["verdict"], ended.status, ended.codes) == ("MET", 0, set())


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("primary_host_loses_power", "host_power_loss"),
        pytest.param("primary_process_hangs", "process_hang", marks=pytest.mark.long),
        pytest.param("primary_process_killed", "process_kill", marks=pytest.mark.long),
        pytest.param("primary_zone_partitioned", "zone_partition", marks=pytest.mark.long),
        pytest.param("primary_disk_full", "disk_full", marks=pytest.mark.long),
    ],
)
def test_an_injection_that_does_nothing_is_noticed(tmp_path: Path, scenario: str, kind: str) -> None:
    """An injector that claims to have broken something and did not is not believed: somebody else looks."""
    drill_copy = DrillCopy(tmp_path / "copy", scenario)
    drill_copy.add_act("pretended_injection", "chaos")
    drill_copy.replace(
        "chaos/actions.py",
        f'    return faults.inject("{kind}", store, role)\n',
        f'    from chaos import sabotage\n\n    return sabotage.inject("{kind}", store, role)\n',
    )
    drill_copy.replace(f"chaos/experiments/database_{kind}.inject.yaml", "within: 30 s}", "within: 2 s}")
    drill_copy.run().require("INVALID", 4, "fault_not_effective")


def test_a_fault_without_load_proves_nothing(drill_copy: DrillCopy) -> None:
    """When no client asks at the fault, nobody can have noticed anything of it."""
    drill_copy.add_steps("stopped_load")
    drill_copy.replace(
        FEATURE, LOSES_POWER, "    When nobody asks any more\n" + LOSES_POWER.replace("When", "And")
    )
    drill_copy.run().require("INVALID", 4, "load_not_running")


@pytest.mark.long
def test_a_declared_impact_that_nobody_felt_proves_nothing(drill_copy: DrillCopy) -> None:
    """When the standby loses power instead of the primary, users notice nothing: that is no failover drill."""
    drill_copy.replicate_asynchronously(delay="0 s")
    drill_copy.replace(FEATURE, LOSES_POWER, LOSES_POWER.replace("primary", "standby"))
    drill_copy.run().require("INVALID", 4, "impact_not_shown")


def test_a_positive_control_that_fails_spoils_the_drill(drill_copy: DrillCopy) -> None:
    """When the address that never answers does answer, nobody knows what the clients would have missed."""
    drill_copy.replace(
        "conftest.py",
        "pytest_plugins = [",
        'from drdrill.mirror.embedded import Embedded\n\nEmbedded.black_hole = "10.20.0.10"\n\npytest_plugins = [',
    )
    drill_copy.run().require("INVALID", 4, "control_failed")
