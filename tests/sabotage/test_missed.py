"""Rows that are gone or spoilt, and a second writer, must be found: MISSED, exit status 1."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sabotage.drill_copy import FEATURE, MEASURED
from tests.sabotage.recount import read_amounts

if TYPE_CHECKING:
    from tests.sabotage.drill_copy import DrillCopy

pytestmark = pytest.mark.drill


def test_one_lost_row_is_found(drill_copy: DrillCopy) -> None:
    """One acknowledged row, deleted after recovery, is found lost: this row, with its amount."""
    drill_copy.add_steps("spoilt_row")
    drill_copy.replace(FEATURE, MEASURED, "    And an acknowledged row is deleted\n" + MEASURED)
    ended = drill_copy.run()
    ended.require("MISSED", 1, "loss_unexplained")
    row = int((drill_copy.path / "sabotaged.txt").read_text(encoding="ascii"))
    amount = read_amounts(ended.directory.ledger / "load-0.attempts")[row]
    rpa = ended.verdict["rpa"]
    assert (rpa["lost_rows"], rpa["altered_rows"]) == (1, 0)
    assert Decimal(rpa["lost_amount"]) == Decimal(amount) / 100
    assert rpa["examples"]["lost"] == [row]


@pytest.mark.long
def test_one_altered_row_is_found(drill_copy: DrillCopy) -> None:
    """One acknowledged row whose amount grew by a minor unit is found altered, and nothing else."""
    drill_copy.add_steps("spoilt_row")
    drill_copy.replace(FEATURE, MEASURED, "    And the amount of an acknowledged row is altered\n" + MEASURED)
    ended = drill_copy.run()
    ended.require("MISSED", 1, "altered")
    rpa = ended.verdict["rpa"]
    assert (rpa["lost_rows"], rpa["altered_rows"]) == (0, 1)
    assert rpa["examples"]["altered"] == [
        int((drill_copy.path / "sabotaged.txt").read_text(encoding="ascii"))
    ]


def test_two_writers_are_found(drill_copy: DrillCopy) -> None:
    """An old primary that nobody fenced, and that a client still writes to, is a second writer."""
    steady = "    Given users are served by the system in its steady state\n"
    drill_copy.add_steps("second_writer")
    drill_copy.replicate_asynchronously(delay="0 s", fencing=False)
    drill_copy.replace(
        FEATURE, steady, steady + "    And a service writes to the address that it remembers\n"
    )
    drill_copy.replace(
        FEATURE, MEASURED, "    And that service is served by the old primary again\n" + MEASURED
    )
    ended = drill_copy.run()
    ended.require("MISSED", 1, "two_writers")
    assert len(ended.verdict["writers"]["servers"]) == 2
    assert ended.verdict["writers"]["alternations"] > ended.verdict["writers"]["allowed"]
