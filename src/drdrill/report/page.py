"""A drill's page: one self-contained HTML file that loads nothing and runs nothing. Same directory, same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from drdrill.core.verdict import Verdict, combine
from drdrill.measure.verdict import ObjectiveKind
from drdrill.plan.duration import format_exactness, format_seconds
from drdrill.report.account import Account, read_account
from drdrill.report.availability_strip import describe_left_out
from drdrill.report.calls_section import describe_calls
from drdrill.report.chronicle import words
from drdrill.report.failover_section import describe_failover
from drdrill.report.frame import NARROW, WIDE
from drdrill.report.headline import write_headline
from drdrill.report.picture import read_template
from drdrill.report.pictures import draw_all, name_of_strip
from drdrill.report.projections import describe_bases, describe_durations
from drdrill.report.restore_section import describe_destroyed, describe_restores
from drdrill.report.runbook_section import describe_runbook
from drdrill.report.sections import (
    describe_explained,
    describe_looks,
    describe_proofs,
    describe_rows,
    describe_services,
    describe_swept,
    describe_watchers,
    describe_writers,
)
from drdrill.report.system_section import describe_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.record.directory import DrillDirectory

_KEY_EVENTS = frozenset({"fault.injected", "drill.judged"})


def render_page(directory: DrillDirectory) -> str:
    """Return a drill's page. Raises `DamagedRecordError` or `InvalidInputError` where its files are not as stored."""
    account = read_account(directory)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("drdrill.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(duration=format_seconds, exactness=format_exactness, signed=format_signed)
    return environment.get_template("page.html.j2").render(_content(account))


def format_signed(value: float) -> str:
    """Return a moment in seconds from the origin, with its sign."""
    hundredths = round(value * 100)
    return f"{hundredths / 100:{'+.2f' if hundredths else '.2f'}}\N{NO-BREAK SPACE}s"


def _content(account: Account) -> dict[str, Any]:
    verdict = account.verdict
    objectives = [
        {
            **one,
            "title": ObjectiveKind(one["kind"]).caption,
            "counts": combine(
                Verdict(one[part]["verdict"]) for part in ("measured", "projected") if one[part]["verdict"]
            ).value,
        }
        for one in verdict["objectives"]
    ]
    availability = account.plan.availability_of(account.scenario)
    git = account.about.get("git") or {}
    entries = [*_entries(account)]
    return {
        "account": account,
        "verdict": {**verdict, "objectives": objectives},
        "title": account.about.get("title") or words(str(account.about["scenario"])).capitalize(),
        "began": account.began_utc.replace("T", " ").replace("+00:00", " UTC"),
        "steps": account.about.get("steps") or (),
        "run_number": account.about.get("run_number"),
        "headline": write_headline(account),
        "meaning": Verdict(verdict["verdict"]).meaning.capitalize(),
        "style": Markup(read_template("page.css") + read_template("picture.css")),  # noqa: S704 (our own files)
        "wide": _draw(account, WIDE),
        "narrow": _draw(account, NARROW),
        "entries": entries,
        "announced": [entry for entry in entries if entry["actor"] == "cloud"],
        "course_text": "What was broken until it was healed, and what that meant."
        + (" The numbers are the cloud's announcements, below." if account.facts.failovers else ""),
        "availability": {
            "window": format_seconds(availability.window.total_seconds()),
            "ratio": f"{availability.success_ratio:.4g}",
            "samples": availability.minimum_samples,
            "latency": format_seconds(availability.latency_p99.total_seconds()),
            "stability": format_seconds(availability.stability.total_seconds()),
        },
        "rows": describe_rows(account),
        "writers": describe_writers(account),
        "watchers": describe_watchers(account),
        "explained": describe_explained(account),
        "services": [{**one, "strip": name_of_strip(one["service"])} for one in describe_services(account)],
        "runbook": describe_runbook(account),
        "failover": describe_failover(account),
        "calls": describe_calls(account),
        "system": describe_system(account),
        "bases": describe_bases(objectives),
        "left_out": describe_left_out(account),
        "looks": describe_looks(account),
        "swept": describe_swept(account),
        "restores": describe_restores(account),
        "destroyed": describe_destroyed(account),
        "proofs": describe_proofs(account),
        "durations": describe_durations(account),
        "revision": f"{git.get('revision') or 'not known'}{' with uncommitted changes' if git.get('dirty') else ''}",
        "tools": ", ".join(
            f"{name} {version}" for name, version in (account.about.get("versions") or {}).items() if version
        ),
    }


def _draw(account: Account, width: int) -> dict[str, Markup]:
    return {name: Markup(drawn.svg()) for name, drawn in draw_all(account, width).items()}  # noqa: S704 (escaped there)


def _entries(account: Account) -> Iterator[dict[str, Any]]:
    kinds = {event.seq: event.kind for event in account.events}
    for entry in account.chronicle:
        yield {
            "seconds": account.seconds(entry.at_ns),
            "utc": f"{entry.utc:%H:%M:%S}.{entry.utc.microsecond // 1000:03d}",
            "actor": entry.actor,
            "text": entry.text,
            "number": entry.number,
            "grave": entry.grave,
            "key": kinds[entry.number] in _KEY_EVENTS,
        }
