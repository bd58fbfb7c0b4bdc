"""Making the reference company's repository somebody's own: names replaced, everything that is only its own left out.

Words are replaced in what any company has (steps, chaos, failover, how its database is built). What a company says of
itself (plan, workload, runbook) is written with the adopter's names, with the limits, durations and scenarios of the
reference. A new repository has databases only: what needs the whole system is known by saying so, and left out.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.cli.starting.programs import keep_programs
from drdrill.load.workload import load_workload
from drdrill.plan import MirrorExtent, load_plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from jinja2 import Environment

    from drdrill.cli.starting.names import Names

# Statements of the reference's own tables: an adopter writes these with tables of their own.
_OWN_STATEMENTS = ("bad_delete", "drop_table", "backup_damage")
_OWN_SCENARIOS = ("bad_delete", "drop_table", "backup_lacks_rows")
_SYSTEM = "system"
_OWN_FILES = (_SYSTEM, "environments/embedded/images.yaml", "failover/runbook_data_plane.yaml")
_PLAN, _RUNBOOK = "scenarios/plan.yaml", "failover/runbook.yaml"
_ENVIRONMENT, _WORKLOAD = "environments/embedded/environment.yaml", "environments/embedded/workload.yaml"
_TAG = "  @scenario:"
_TOP = re.compile(r"^(\w+):", re.MULTILINE)
_QUOTED = re.compile(
    r"^(\s*# )Section \d[^.:]*[.:] ", re.MULTILINE
)  # a comment that names the company's document
_MARKS = 0xE000  # the first of the characters that no text has: Unicode leaves them for private use
_TEXTS = (".py", ".yaml", ".feature")


@dataclass(frozen=True, slots=True)
class Reference:
    """What the reference company calls things, read from its own files: the engine knows no company."""

    company: str
    service: str
    store: str
    user: str
    primary_region: str
    recovery_region: str

    @classmethod
    def read(cls, folder: Path) -> Reference:
        """Read it from a drill repository whose database has a name of the company's own."""
        plan, workload = load_plan(folder / _PLAN), load_workload(folder / _WORKLOAD)
        if workload.endpoint is None:
            raise ValueError(
                f"{folder / _WORKLOAD}: the template's database has no name of the company's own"
            )
        return cls(
            company=workload.endpoint.split(".")[-2],
            service=workload.service,
            store=workload.store,
            user=workload.user,
            primary_region=plan.regions.primary.name,
            recovery_region=plan.regions.recovery.name,
        )


def tailor(folder: Path, names: Names, templates: Environment) -> None:
    """Turn a copy of the reference company's repository into that of the company with these names."""
    reference = Reference.read(folder)
    kept = _find_scenarios(folder / _PLAN)
    for name in _OWN_FILES:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for statement in _OWN_STATEMENTS:
        for path in (folder / "chaos" / "experiments").glob(f"database_{statement}.*"):
            path.unlink()
    keep_programs(folder / "failover", without=_SYSTEM)
    for path in folder.rglob("*"):
        if path.suffix in _TEXTS:
            path.write_text(rename(path.read_text(encoding="utf-8"), reference, names), encoding="utf-8")
    # After that: what is written with the adopter's names may have words of the reference in it, and keeps them.
    (folder / _RUNBOOK).write_text(
        templates.get_template("runbook.yaml").render(names=names), encoding="utf-8"
    )
    _write_plan(folder / _PLAN, names, kept, templates)
    for path in (folder / "scenarios").rglob("*.feature"):
        _keep_scenarios(path, kept)
    cut = _write_workload(folder / _WORKLOAD, names, templates) + _cut_system(folder / _ENVIRONMENT)
    _remove_scripts(folder / _ENVIRONMENT, cut)


def rename(text: str, reference: Reference, names: Names) -> str:
    """Put an adopter's names in the place of the reference company's; what it calls its rows are rows."""
    service = reference.service
    # A name that was put in is not looked at again: it may be one of the reference's, such as its other region.
    marks = {
        chr(_MARKS + number): name
        for number, name in enumerate(
            (names.store, names.service, names.database, names.slug, names.company, names.primary_region,
             names.recovery_region)
        )
    }  # fmt: skip
    store, named, database, slug, company, primary, recovery = marks
    for pattern, replacement in (
        # What is said to an operator names no program that a new repository lacks.
        (r"run `python -m failover\.fence_primary`", "have it refuse writes, or stop it"),
        # A database's name in PostgreSQL has no hyphens.
        (r'\.removesuffix\("-database"\)', r'\g<0>.replace("-", "_")'),
        (reference.store, store),
        (f"{service}-recovery", f"{named}-recovery"),
        (f"{service}_database", f"{database}_database"),
        (reference.user, f"{database}_app"),
        (f'DBName="{service}"', f'DBName="{database}"'),
        (f'"{service}"', f'"{named}"'),
        (rf"(failover\.\w+|\bservice:) {service}\b", rf"\1 {named}"),
        (service, "rows"),
        (service.capitalize(), "Rows"),
        (service.removesuffix("s"), "row"),
        (reference.company, slug),
        (reference.company.capitalize(), company),
        ("core_financial", "core"),
        (reference.primary_region, primary),
        (reference.recovery_region, recovery),
    ):
        text = re.sub(pattern, replacement, text)
    for mark, name in marks.items():
        text = text.replace(mark, name)
    return _QUOTED.sub(r"\1", text)


def split_blocks(text: str) -> dict[str, str]:
    """Return the blocks of a YAML file by their top-level keys; a comment belongs to the block that it is above."""
    found: dict[str, str] = {}
    starts = [match.start() for match in _TOP.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        lines = text[start:end].splitlines(keepends=True)
        while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
            lines.pop()  # what is above the next block
        found[text[start:end].partition(":")[0]] = "".join(lines)
    return found


def split_entries(block: str, indent: int = 2) -> dict[str, str]:
    """Return the entries of a block by their keys, without their comments."""
    lines = [line for line in block.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, list[str]] = {}
    entry: list[str] = []
    for line in lines:
        if match := re.fullmatch(rf" {{{indent}}}(\w+):.*", line):
            entry = found[match[1]] = []
        entry.append(line)
    return {key: "\n".join(entry) + "\n" for key, entry in found.items()}


def _find_scenarios(plan: Path) -> tuple[str, ...]:
    """Return the scenarios that a database alone is enough for."""
    scenarios = load_plan(plan).scenarios.items()
    return tuple(
        name
        for name, one in scenarios
        if one.mirror is not MirrorExtent.SYSTEM and name not in _OWN_SCENARIOS
    )


def _write_plan(path: Path, names: Names, kept: Collection[str], templates: Environment) -> None:
    blocks = split_blocks(path.read_text(encoding="utf-8"))
    scenarios = {name: entry for name, entry in split_entries(blocks["scenarios"]).items() if name in kept}
    durations = split_entries(blocks["projection"], indent=4)
    needed = [name for name in durations if any(_names(name, entry) for entry in scenarios.values())]
    text = templates.get_template("plan.yaml").render(
        names=names,
        availability=blocks["availability"],
        durations="".join(_unmark(durations[name]) for name in needed),
        scenarios="\n".join(scenarios.values()),
    )
    path.write_text(text, encoding="utf-8")


def _names(name: str, entry: str) -> bool:
    return re.search(rf"\b{name}\b", entry) is not None


def _unmark(duration: str) -> str:
    """Take away where the reference company's own document is quoted."""
    return re.sub(r"; section \d.*", "", duration)


def _write_workload(path: Path, names: Names, templates: Environment) -> str:
    """Write it, and return what of the reference's own is not in it."""
    blocks = split_blocks(path.read_text(encoding="utf-8"))
    kept = {name: blocks.pop(name) for name in ("amount", "load", "peak", "prober")}
    path.write_text(templates.get_template("workload.yaml").render(names=names, **kept), encoding="utf-8")
    return "".join(blocks.values())


def _keep_scenarios(path: Path, kept: Collection[str]) -> None:
    """Leave these scenarios in a feature; one of none goes."""
    head, *scenarios = path.read_text(encoding="utf-8").split(_TAG)
    left = [one for one in scenarios if one.partition("\n")[0] in kept]
    if left:
        path.write_text(_TAG.join([_cut_quotation(head), *left]).rstrip() + "\n", encoding="utf-8")
    else:
        path.unlink()


def _cut_quotation(head: str) -> str:
    lines: Iterable[str] = head.splitlines()
    return "\n".join(line for line in lines if line.startswith(("@", "Feature:"))) + "\n\n"


def _cut_system(path: Path) -> str:
    """Take away how the reference's services are built, and where its regions are; return what built them."""
    text = path.read_text(encoding="utf-8")
    block = split_blocks(text)["system"]
    text = re.sub(r"(?:^#[^\n]*\n)*" + re.escape(block) + r"\n*", "", text, count=1, flags=re.MULTILINE)
    path.write_text(re.sub(r"; from [^\n]*", "", text), encoding="utf-8")
    return block


def _remove_scripts(environment: Path, cut: str) -> None:
    """Remove the scripts beside an environment's file that only what was cut names: by their file, or as a module."""
    left = environment.read_text(encoding="utf-8")
    for path in environment.parent.glob("*.py"):
        name = re.compile(rf"\b({path.stem}\.py|{path.parent.name}\.{path.stem})\b")
        if name.search(cut) and not name.search(left):
            path.unlink()
