"""The page of a drill in which a command took the runbook's place: it says which, how it ended, and its last words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.report import render_page
from drdrill.report.account import read_account
from drdrill.report.failover_section import describe_failover
from tests.measure.regional import commanded
from tests.report.conftest import store
from tests.report.test_region_page import read_section
from tests.report.whole_system import PAGES, THERE, look_of, see_system, tell_users

if TYPE_CHECKING:
    from tests.measure.regional import RegionalStory


def test_the_command_has_a_section(regional: RegionalStory) -> None:
    """It stands in the place of the runbook's section, and there is no waterfall."""
    commanded(regional, command="/srv/ops/failover.sh --yes")
    page = render_page(store(regional))
    text = read_section(page, "failover")
    assert "…/failover.sh --yes" in text
    assert "a line for the shell" in text
    assert "it ended with status 0 after 5" in text
    assert "Its last words" not in text
    assert 'id="runbook"' not in page
    assert "Where the time of the runbook went" not in page
    assert "nobody stated how long the command" in page


def test_last_words_are_text(regional: RegionalStory) -> None:
    """What a command said is shown as it said it, and stands out where the command failed."""
    commanded(regional, status=3, said="<b>promoting</b>\nboom")
    page = render_page(store(regional))
    assert "&lt;b&gt;promoting&lt;/b&gt;\nboom" in page
    assert '<dd class="grave">it ended with status 3' in page
    assert "FAILED with status 3" in page


def test_a_handler_is_told_as_one(regional: RegionalStory) -> None:
    """The page says that it was called with an event."""
    commanded(regional, command="ops.failover:handler")
    regional.data_of("failover_command.started")["event"] = "failover-event.json"
    told = describe_failover(read_account(store(regional)))
    assert told is not None
    assert (told.command, told.way.partition(",")[0]) == ("ops.failover:handler", "a handler")


def test_a_drill_by_a_runbook_has_none(regional: RegionalStory) -> None:
    """Drills as they were have no such section."""
    assert 'id="failover"' not in render_page(store(regional))


def test_a_command_that_only_says_that_all_is_well(regional: RegionalStory) -> None:
    """It ended with 0 and forgot a service: the page is headed MISSED and names what is too small."""
    see_system(regional)
    commanded(regional, said="done: all services run")
    look_of(regional, "after_recovery")["regions"][THERE]["ready"] = {"shop/orders": 3, "shop/letters": 1}
    page = render_page(tell_users(regional, *PAGES))
    assert '<main class="MISSED">' in page
    assert f"Fewer pods serve in {THERE} in the end" in page
    assert "letters 1 of 2." in page
    assert "done: all services run" in read_section(page, "failover")
