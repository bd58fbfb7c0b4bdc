"""A drill of the whole system, made by hand from the regional one: looks, a status page, and stores that were asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from drdrill.measure import measure
from drdrill.record.directory import write_json
from tests.measure.regional import RUNBOOK
from tests.measure.story import FAULT, SECOND
from tests.report.conftest import store

if TYPE_CHECKING:
    from drdrill.record.directory import DrillDirectory
    from tests.measure.regional import RegionalStory

HERE, THERE = "eu-west-1", "eu-central-1"
FULL: dict[str, Any] = {"shop/orders": 3, "shop/letters": 2}
PILOT: dict[str, Any] = {"shop/orders": 1, "shop/letters": 1}
PAGES = (
    "<html><head><title>Shop</title><style>p {}</style></head><body><h1>Status</h1><p>We <b>look</b> at it.</p></body>",
    "<body><h1>Status</h1><p>Orders are back.<script>alert(1)</script></p><p>We <b>look</b> at it.</p>",
)


def region(nodes: int, ready: dict[str, int], *, answers: bool = True) -> dict[str, Any]:
    """Return what the journal says of a region at a look."""
    return {
        "answers": answers,
        "nodes": {f"node-{number}": 1 for number in range(nodes)},
        "ready": ready,
        "wanted": ready,
    }


def see_system(story: RegionalStory) -> None:
    """Let the drill be one of the whole system, in which all is well in the end; its runbook proposes something."""
    line = "    runbook: failover/runbook.yaml\n"
    place = next(key for key, value in story.plan.items() if line in value)
    story.plan[place] = story.plan[place].replace(line, f"{line}    mirror: system\n")
    story.runbook = RUNBOOK.replace("steps:\n", "proposes:\n- Deploy <b>first</b>, then switch.\nsteps:\n", 1)
    looks = (
        (
            "before_fault",
            {HERE: region(3, FULL), THERE: region(1, PILOT)},
            {"10.0.2.4": True, "10.0.10.4": True},
        ),
        ("after_recovery", {HERE: region(0, {}, answers=False), THERE: region(3, FULL)}, {"10.4.0.4": True}),
    )
    for moment, regions, addresses in looks:
        at_ns = FAULT - SECOND if moment == "before_fault" else story.events[-1][0]
        data = {"moment": moment, "regions": regions, "name": "api.shop.example", "addresses": addresses}
        story.events.append((at_ns, "system.observed", data))
    story.events.sort(key=lambda event: event[0])


def look_of(story: RegionalStory, moment: str) -> dict[str, Any]:
    """Return what the journal says of a look, to be changed."""
    return next(
        data for _, kind, data in story.events if kind == "system.observed" and data["moment"] == moment
    )


def ask_stores(
    story: RegionalStory, name: str, *, across: bool, wrong: tuple[str, ...] = (), problem: str = ""
) -> None:
    """Let stores be asked whether they agree on something."""
    data = {"name": name, "across": across, "wrong": list(wrong), "problem": problem}
    story.events.append((story.events[-1][0], "reconciliation.observed", data))


def tell_users(story: RegionalStory, *pages: str) -> DrillDirectory:
    """Write the drill with the versions of its status page, the first 1 s after the fault and then each second."""
    directory = store(story)
    lines = []
    for number, page in enumerate(pages, start=1):
        file = f"status-page-{number}.html"
        (directory.evidence / file).write_text(page, encoding="utf-8")
        lines.append({"at_ns": FAULT + number * SECOND, "status": 200, "sha256": str(number), "file": file})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (directory.evidence / "status-page.jsonl").write_text(text, encoding="utf-8")
    write_json(directory.verdict_path, measure(directory).to_json())
    return directory
