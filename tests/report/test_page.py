"""A drill's page: what it says of each verdict, that it loads nothing, and that it is always the same bytes."""

from __future__ import annotations

import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.document import in_version
from drdrill.record.directory import DrillDirectory
from drdrill.report import render_page
from tests.measure.story import FAULT, NEW, SECOND
from tests.report.conftest import store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.measure.story import Story

_LOADING = {"src", "href", "action", "data", "poster", "srcset", "formaction", "xlink:href"}
_VOID = {"meta", "link", "br"}


class _Reader(HTMLParser):
    """Reads a page as a browser does: its visible text, what it would load, and whether its tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.loads: list[str] = []
        self.scripts = 0
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loads += [value or "" for name, value in attrs if name in _LOADING]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def _read(page: str) -> str:
    """Return a page's visible text with single spaces."""
    return re.sub(r"\s+", " ", " ".join(_Reader(page).text))


def test_a_page_is_one_file_that_loads_and_runs_nothing(story: Story) -> None:
    """No script, no address, balanced tags, and a policy that forbids what could come in by mistake."""
    page = render_page(store(story))
    reader = _Reader(page)
    assert reader.loads == ["data:,"]
    assert reader.scripts == 0
    assert reader.open == []
    assert "url(" not in page
    assert "@import" not in page
    assert """content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">""" in page


def test_the_same_files_give_the_same_bytes(story: Story, tmp_path: Path) -> None:
    """Neither the place of the directory, nor the times of its files, nor their order come into the page."""
    directory = store(story)
    page = render_page(directory)
    elsewhere = tmp_path / "elsewhere" / directory.path.name
    shutil.copytree(directory.path, elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
    assert render_page(DrillDirectory(elsewhere)) == page


def test_a_met_drill_says_what_was_measured_and_what_is_projected(story: Story) -> None:
    """The two results of each objective stand apart, with the objective, the resolution and the margin."""
    text = _read(render_page(store(story)))
    assert (
        "MET After host power loss of db-1, orders was away for 4.00 s (± 0.05 s), as the slowest of 2 probing clients"
        in text
    )
    assert "none was lost" in text
    assert re.search(r"orders MET Recovery time, measured 4\.00 s ± 0\.0\d+ s", text)
    assert "counted from the outage projected, p95 2 min" in text
    assert "Multi" not in text  # nothing of a cloud that this story does not tell of


def _lose(story: Story) -> None:
    for write in story.last_served("load-0", NEW, 3):
        write.rows = 0


def _outlast(story: Story) -> None:
    # The plan's own durations have to fit into it, or the plan is refused.
    story.plan |= {
        "RTO": "2 s",
        "minimum: 60 s": "minimum: 50 ms",
        "LONGEST": "100 ms",
        "typical: 5 s, source": "typical: 100 ms, source",
        "minimum: 1 s, typical: 5 s, maximum: 30 s": "minimum: 10 ms, typical: 50 ms, maximum: 1 s",
    }


def _break_steady_state(story: Story) -> None:
    story.data_of("steady_state.observed").update(holds=False, reason="the store had no standby")


def _see_no_effect(story: Story) -> None:
    story.data_of("fault.observed")["effective"] = False


def _stay_down(story: Story) -> None:
    story.never_recover()


def _inject_nothing(story: Story) -> None:
    story.drop("fault.injected", "fault.observed", "recovery.observed", "store.protected")


def _crash_early(story: Story) -> None:
    story.events = story.events[:1]
    story.writes = {name: [] for name in story.writes}


@pytest.mark.parametrize(
    ("spoil", "verdict", "said"),
    [
        (_outlast, "MISSED", "objective (RTO) 2 s"),
        (_lose, "MISSED", "3 were lost"),
        (_break_steady_state, "INVALID", "the store had no standby"),
        (_see_no_effect, "INVALID", "no effect seen"),
        (_stay_down, "INCONCLUSIVE", "were not all seen served again, stably"),
        (_inject_nothing, "INVALID", "Nothing was broken: no fault was injected."),
        (_crash_early, "INVALID", "No client ever attempted anything."),
    ],
)
def test_every_verdict_has_its_page(
    story: Story, spoil: Callable[[Story], None], verdict: str, said: str
) -> None:
    """Whatever became of a drill, its page renders, names the verdict first and says what is wrong."""
    spoil(story)
    directory = store(story)
    stored = json.loads(directory.verdict_path.read_text(encoding="utf-8"))
    page = render_page(directory)
    text = _read(page)
    assert stored["verdict"] == verdict
    assert f'<main class="{stored["verdict"]}">' in page
    assert said in text
    for reason in stored["reasons"]:
        assert re.sub(r"\s+", " ", reason["text"]) in text


def test_a_drill_that_was_killed_has_a_page_that_says_so(story: Story) -> None:
    """Without a stored verdict the page judges what is there, and says that nobody did then."""
    story.drop("drill.ended", "drill.judged", "load.stopped", "survivors.read")
    text = _read(render_page(story.store()))
    assert "This drill did not come to its end" in text


def test_a_verdict_that_the_files_do_not_give_is_shown_up(story: Story) -> None:
    """A page of an altered verdict has the figures that the files give, and says what differs."""
    directory = store(story)
    verdict = json.loads(directory.verdict_path.read_text(encoding="utf-8"))
    verdict["rta"]["outage_seconds"] = 0.1
    directory.verdict_path.write_text(json.dumps(verdict), encoding="utf-8")
    text = _read(render_page(directory))
    assert "The stored verdict is not what the stored files give." in text
    assert "rta.outage_seconds: stored 0.1, computed 4.0" in text
    assert "orders was away for 4.00 s" in text


def test_a_journal_without_its_tail_is_shown_up(story: Story) -> None:
    """A chain of hashes cannot show that its end is missing; the page says that the drill's end is not told."""
    directory = store(story)
    lines = directory.journal_path.read_text(encoding="utf-8").splitlines(keepends=True)
    directory.journal_path.write_text("".join(lines[:5]), encoding="utf-8")
    text = _read(render_page(directory))
    assert "The stored verdict is not what the stored files give." in text
    assert "The journal does not tell of the drill's end" in text
    assert "unbroken up to entry 4" in text


def test_a_verdict_of_an_older_format_is_no_difference(story: Story) -> None:
    """What a later version began to measure does not make an old verdict a wrong one."""
    directory = store(story)
    verdict = in_version(json.loads(directory.verdict_path.read_text(encoding="utf-8")), 0)
    del verdict["controls"]
    directory.verdict_path.write_text(json.dumps(verdict), encoding="utf-8")
    assert "The stored verdict is not what" not in _read(render_page(directory))


def test_what_cannot_be_read_is_named_without_its_folders(story: Story, tmp_path: Path) -> None:
    """A page of a damaged drill is the same wherever the drill lies, and names no folder of the machine."""
    directory = store(story)
    (directory.evidence / "survivors-1.copy").unlink()
    directory.verdict_path.unlink()
    elsewhere = tmp_path / "else" / "where" / directory.path.name
    shutil.copytree(directory.path, elsewhere)
    page = render_page(directory)
    assert "survivors-1.copy" in page
    assert str(tmp_path) not in page
    assert render_page(DrillDirectory(elsewhere)) == page


def test_a_killed_drill_does_not_claim_how_its_clients_ended(story: Story) -> None:
    """Without a record of their end nobody knows how clients ended; those of a positive control are no users."""
    story.drop("load.stopped", "drill.ended")
    text = _read(render_page(story.store()))
    assert "Were users there? 4 clients; how they ended is not known" in text


def test_words_from_outside_are_shown_as_text(story: Story) -> None:
    """A reason with angle brackets is text, not mark-up."""
    story.data_of("steady_state.observed").update(holds=False, reason="<script>alert(1)</script>")
    page = render_page(store(story))
    assert _Reader(page).scripts == 0
    assert "<script>alert(1)</script>" in _read(page)


def test_an_event_of_a_later_version_is_shown_as_it_stands(story: Story) -> None:
    """A kind of event that this version does not know is not left out."""
    story.events.append((FAULT + 30 * SECOND, "moon.rose", {"phase": "full"}))
    assert 'moon.rose: {"phase": "full"}' in _read(render_page(store(story)))


def test_an_altered_journal_is_refused(story: Story) -> None:
    """A page never shows a timeline whose chain is broken: the error names file and line."""
    directory = store(story)
    text = directory.journal_path.read_text(encoding="utf-8")
    directory.journal_path.write_text(text.replace("host_power_loss", "host_power_less", 1), encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"journal\.jsonl:\d+: the hash chain is broken"):
        render_page(directory)


def test_nothing_of_the_machine_comes_into_a_page(story: Story, tmp_path: Path) -> None:
    """A page names no folder of the machine that made it."""
    page = render_page(store(story))
    assert str(tmp_path) not in page
    assert str(Path.home()) not in page or Path.home() == Path("/")
