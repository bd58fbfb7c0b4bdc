"""What was to happen while a runbook ran, and did not; and a region that was given back by the scenario itself."""

from __future__ import annotations

from drdrill.core.verdict import Verdict
from drdrill.measure.meanwhile import check_meanwhile, describe_end, was_drawn_to_end
from drdrill.record.journal import Event


def _event(seq: int, kind: str, **data: object) -> Event:
    return Event(seq, seq, "", "meanwhile", kind, data, "", "")


DRAWN = _event(0, "meanwhile.drawn", what=describe_end("region_power_loss"), after="fence")


def test_what_did_not_happen_makes_the_drill_invalid() -> None:
    """Drawn and not seen to its end: nothing was proved; what ended well, and a drill without any, is no matter."""
    failed = _event(1, "meanwhile.failed", what=DRAWN.data["what"], reason="no power")
    for events in ([DRAWN], [DRAWN, failed]):
        (told,) = check_meanwhile(events)
        assert (told.verdict, told.code) == (Verdict.INVALID, "nothing_meanwhile")
        assert "after fence" in told.text
    ended = _event(2, "meanwhile.ended", what=DRAWN.data["what"])
    assert list(check_meanwhile([DRAWN, ended])) == []
    assert list(check_meanwhile([])) == []


def test_a_region_that_returns_by_the_scenario() -> None:
    """Only the healing of the judged fault is that."""
    assert was_drawn_to_end([DRAWN], "region_power_loss")
    assert not was_drawn_to_end([DRAWN], "region_isolation")
    assert not was_drawn_to_end([], "region_power_loss")
