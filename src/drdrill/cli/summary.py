"""A drill's verdict for a tired engineer: what was promised, what was measured, what is projected, how it ends.

Made from `verdict.json` alone, so `run` and `measure` show the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from drdrill.core.verdict import Verdict, combine
from drdrill.measure.verdict import ObjectiveKind
from drdrill.plan.duration import format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

_MINUTE = 60
_STYLES = {
    "MET": "bold green",
    "MISSED": "bold red",
    "INCONCLUSIVE": "bold yellow",
    "INVALID": "bold magenta",
}


def print_verdict(console: Console, verdict: Mapping[str, Any], directory: str) -> None:
    """Print one drill's verdict."""
    console.print()
    style, subjects = (
        _STYLES[verdict["verdict"]],
        dict.fromkeys(one["subject"] for one in verdict["objectives"]),
    )
    console.print(
        Text.assemble((verdict["verdict"], style), (f"  {Verdict(verdict['verdict']).meaning}", "bold"))
    )
    console.print(
        f"  {verdict['scenario']} in {verdict['environment']}: {', '.join(subjects)}", soft_wrap=True
    )
    for reason in verdict["reasons"]:
        text = Text(f"  {reason['verdict']}: {reason['text']}", style=_STYLES[reason["verdict"]].split()[-1])
        console.print(text, soft_wrap=True)
    console.print(_table(verdict))
    for line in _describe_rows(verdict["rpa"]):
        console.print(f"  {line}")
    for phase in verdict["rta"]["phases"]:
        console.print(f"  {phase['seconds']:7.2f} s  {phase['name']}", style="dim", soft_wrap=True)
    for finding in verdict["findings"]:
        console.print(Text(f"  finding: {finding['text']}", style="yellow"), soft_wrap=True)
    console.print(Text(f"  seed {verdict['seed']} · {directory}", style="dim"), soft_wrap=True)


def describe_time(scenario: Mapping[str, Any]) -> Iterator[str]:
    """Yield how long a scenario of a run's document took, and of what stated waits."""
    took, waits = scenario["seconds"], scenario["stated_waits"]
    if took is None:
        return
    waited = sum(wait["seconds"] for wait in waits)
    yield f"  took {took:.1f} s: {took - waited:.1f} s beside {waited:g} s of stated waits"
    for wait in waits:
        yield f"  {wait['seconds']:7.2f} s  {wait['what']}"


def _describe_rows(rpa: Mapping[str, Any]) -> Iterator[str]:
    if rpa["acknowledged_rows"] is None:
        yield "rows: not compared"
        return
    yield (
        f"{rpa['acknowledged_rows']:,} writes acknowledged, {rpa['lost_rows']:,} lost "
        f"({rpa['lost_amount']} {rpa['currency']})"
    )
    yield f"{rpa['unknown_rows']:,} with unknown outcome, {rpa['recovered_unknown_rows']:,} of them are there"


def _name(objective: Mapping[str, Any], *, several: bool) -> str:
    """Return what an objective is called; where there are several of its kind, of what it is."""
    caption = ObjectiveKind(objective["kind"]).caption
    return f"{objective['kind'].upper()} {objective['subject']}" if several else caption


def _table(verdict: Mapping[str, Any]) -> Table:
    """Show objectives; a figure has the colour of its own verdict, the last column says the one that counts."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    kinds = [objective["kind"] for objective in verdict["objectives"]]
    crowded = len(set(kinds)) < len(
        kinds
    )  # long names, and a terminal has 80 columns: the page has the margins
    table.add_column("", no_wrap=True, min_width=17)
    for title in ("objective", "measured", "projected", *(() if crowded else ("margin",))):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for objective in verdict["objectives"]:
        measured, projected = objective["measured"], objective["projected"]
        resolution = measured["resolution_seconds"]
        digits = 2 if (measured["value_seconds"] or 0) < _MINUTE else 0
        exactness = f"\N{NO-BREAK SPACE}±{resolution:.{digits}f}" if resolution is not None else ""
        counts = combine(Verdict(one["verdict"]) for one in (measured, projected) if one["verdict"])
        table.add_row(
            f"  {_name(objective, several=kinds.count(objective['kind']) > 1)}",
            format_seconds(objective["objective_seconds"]),
            Text(format_seconds(measured["value_seconds"]) + exactness, style=_STYLES[measured["verdict"]]),
            Text(format_seconds(projected["value_seconds"]), style=_STYLES[projected["verdict"]])
            if projected["verdict"]
            else Text("nothing", style="dim"),
            *(() if crowded else (format_seconds(objective["margin_seconds"]),)),
            Text(counts, style=_STYLES[counts]),
        )
    return table
