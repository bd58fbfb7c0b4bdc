"""Drills of which something cannot be known must say so: INCONCLUSIVE, exit status 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sabotage.drill_copy import WORKLOAD

if TYPE_CHECKING:
    from tests.sabotage.drill_copy import DrillCopy


@pytest.mark.drill
def test_survivors_that_nobody_can_read_leave_the_loss_open(drill_copy: DrillCopy) -> None:
    """When the rows cannot be read back, no loss was seen, and that is not the same as none."""
    drill_copy.replace(WORKLOAD, "position from payments\n", "position from payments_of_yesterday\n")
    ended = drill_copy.run()
    ended.require("INCONCLUSIVE", 3, "survivors_unreadable")
    assert ended.verdict["rpa"]["lost_rows"] is None
