"""`drdrill env status`: a picture of the mirrors — regions, zones, roles, how far replicas are behind, what is broken.

Every state is a word: nothing is said by a colour alone. What nobody knows is `unknown`, never 0.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.env_memory import add_memory, say_bytes, say_memory
from drdrill.cli.repository import find_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table

    from drdrill.mirror.directory import MirrorDirectory

_WATCH_EVERY_SECONDS = 1.0
# From how many columns on a table has these, too; endpoints come with hosts.
_WITH_MEMORY, _WITH_ADDRESS, _WITH_HOST = 80, 100, 130


@click.command(
    name="status",
    epilog="\b\nExamples:\n  drdrill env status\n  drdrill env status --watch\n  drdrill env status --json",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--watch", is_flag=True, help="Draw it again every second, until Ctrl-C.")
def status(as_json: bool, watch: bool) -> None:
    """Show all mirrors of this repository: whose they are, what runs in them and how it is, what is broken."""
    from rich.console import Console

    from drdrill.cli.remains import tell_remains
    from drdrill.core.errors import UsageError

    root = find_repository()
    tell_remains(root, Console(highlight=False, stderr=True))
    if watch and as_json:
        raise UsageError("--watch draws a picture, --json prints one document: they do not go together.")
    console = Console(highlight=False)
    if watch and not console.is_terminal:
        raise UsageError("--watch draws on a terminal, and the output is none.")
    if watch:
        _watch(root, console)
    elif as_json:
        click.echo(json.dumps({"schema_version": 1, "mirrors": describe_mirrors(root)}, indent=1))
    else:
        console.print(draw(describe_mirrors(root)), soft_wrap=True)  # whoever copies a path wants it whole


def _watch(root: Path, console: Console) -> None:
    from contextlib import suppress

    from rich.live import Live

    from drdrill.core.clock import SystemClock

    clock = SystemClock()
    with suppress(KeyboardInterrupt), Live(console=console, auto_refresh=False, screen=True) as live:
        while True:
            live.update(draw(describe_mirrors(root)), refresh=True)
            clock.sleep(_WATCH_EVERY_SECONDS)


# -- looking -----------------------------------------------------------------------------------------------------


def describe_mirrors(root: Path) -> list[dict[str, Any]]:
    """Return what is so of every mirror, as `--json` prints it."""
    from drdrill.mirror.directory import list_mirrors

    return [_describe(directory) for directory in list_mirrors(root)]


def _describe(directory: MirrorDirectory) -> dict[str, Any]:
    from drdrill.core.errors import DrdrillError
    from drdrill.faults import ActiveFaults
    from drdrill.mirror.control import Control

    owner = directory.read_owner()
    described: dict[str, Any] = {
        "name": directory.name,
        "owner_pid": owner.pid if owner else None,
        "hosts": [],
        "stores": [],
        "regions": [],
        "parts": [],
        "faults": [],
        "memory": None,
        "unseen": [],
        "problem": None,
    }
    if not directory.lives():
        described["problem"] = (
            f"its world has ended, though nobody took it down. `drdrill env down --name {directory.name}` clears it "
            f"away; until then its logs are in {directory.logs}."
        )
        return described
    try:
        control = Control(directory.control)
        described["hosts"] = control.ask("hosts")["hosts"]
        described["stores"] = control.ask("stores")["stores"]
        picture = control.ask("picture")
        described |= {"regions": picture["regions"], "parts": picture["parts"], "unseen": picture["problems"]}
        described["memory"] = control.ask("memory")
        add_memory(described["parts"], described["memory"])
        described["faults"] = [
            {"kind": one.request.kind, "store": one.request.store, "state": one.state.value}
            for one in ActiveFaults(directory.path).read()
        ]
    except DrdrillError as error:
        described["problem"] = str(error)
    return described


# -- drawing -----------------------------------------------------------------------------------------------------


def draw(mirrors: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the picture of all mirrors."""
    from rich.console import Group
    from rich.text import Text

    if not mirrors:
        return Text("no mirror is up. `drdrill env up` brings one up.")
    return Group(*(part for mirror in mirrors for part in _draw_mirror(mirror)))


def _draw_mirror(mirror: Mapping[str, Any]) -> Iterator[RenderableType]:
    owner = mirror["owner_pid"]
    whose = "stands by itself" if owner is None else f"of the run with process {owner}"
    yield _line(f"{mirror['name']}: {whose}", style="bold")
    if mirror["problem"]:
        yield _line(f"  {mirror['problem']}")
        return
    dark = [host["name"] for host in mirror["hosts"] if not host["powered"]]
    power = f"without power: {', '.join(dark)}" if dark else "all with power"
    yield _line(f"  {len(mirror['hosts'])} hosts, {power}")
    yield _line(f"  {say_memory(mirror['parts'], mirror['memory'])}")
    for fault in mirror["faults"]:
        what = f"{fault['kind']} in {fault['store']} is {fault['state']}"
        yield _line(f"  fault: {what}. `drdrill env heal` mends it.", style="bold")
    for region in mirror["regions"]:
        yield from _draw_region(region, [one for one in mirror["parts"] if one["region"] == region["name"]])
    for problem in mirror["unseen"]:
        yield _line(f"  not seen: {problem}", style="bold")


def _draw_region(region: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    apis = "its APIs answer" if region["apis_answer"] else "its APIs are SILENT"
    yield _line("")
    yield _line(f"  {region['name']}: {apis}; {'; '.join(map(_say_zone, region['zones']))}", style="bold")
    if parts:
        yield _Parts(parts)
    else:
        yield _line("    nothing runs here")


def _say_zone(zone: Mapping[str, Any]) -> str:
    dark = zone["without_power"]
    without = f", {len(dark)} WITHOUT POWER" if dark else ""
    return f"{zone['name'][-1]} {zone['hosts']} {'host' if zone['hosts'] == 1 else 'hosts'}{without}"


class _Parts:
    """The parts of a region as a table, which has as many columns as there is room for."""

    def __init__(self, parts: Sequence[Mapping[str, Any]]) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it for the width that there is."""
        yield self._make_table(options.max_width)

    def _make_table(self, width: int) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        table = Table(box=SIMPLE_HEAD, pad_edge=True, show_edge=False)
        table.add_column("what", ratio=None, overflow="fold", min_width=16)
        for name, least in (("state", 9), ("role", 7), ("zone", 4), ("behind", 7)):
            table.add_column(name, overflow="fold", min_width=least)
        if width >= _WITH_MEMORY:
            table.add_column("memory", overflow="fold", min_width=8, justify="right")
        if width >= _WITH_ADDRESS:
            table.add_column("address", overflow="fold")
        if width >= _WITH_HOST:
            table.add_column("host", overflow="fold")
        for part in self._parts:
            # The endpoint stands where there is room for it: its name is half as long as a line.
            endpoint = (part["endpoint"] or "") if width >= _WITH_HOST else ""
            further = _say_share(part, width)
            further += [endpoint] if width >= _WITH_ADDRESS else []
            further += [""] if width >= _WITH_HOST else []
            table.add_row(
                f"{_mark(part)} {part['kind']} {part['name']}", part["status"], "", "", "", *further, style="bold"
            )  # fmt: skip
            for member in part["members"]:
                further = _say_share(member, width)
                further += [member["address"] or ""] if width >= _WITH_ADDRESS else []
                further += [member["host"] or ""] if width >= _WITH_HOST else []
                zone = (member["zone"] or "")[-1:]
                what = f"  {_mark(member)} {member['name']}"
                table.add_row(what, member["state"], member["role"], zone, say_lag(member["lag"]), *further)
        return table


def _say_share(of: Mapping[str, Any], width: int) -> list[str]:
    if width < _WITH_MEMORY:
        return []
    return ["" if of["memory"] is None else say_bytes(of["memory"])]


def _mark(of: Mapping[str, Any]) -> str:
    return "ok" if of["healthy"] else "!!"


def say_lag(lag: Mapping[str, Any] | None) -> str:
    """Return how far something is behind, in words; nothing for what follows nobody."""
    if lag is None:
        return ""
    value, unit = lag["value"], lag["unit"]
    if value is None:
        return "unknown"
    if unit == "s":
        return f"{value:.1f} s"
    return say_bytes(value) if unit == "B" else f"{value:g} {unit}"


def _line(text: str, *, style: str = "") -> RenderableType:
    from rich.text import Text

    return Text(text, style=style)
