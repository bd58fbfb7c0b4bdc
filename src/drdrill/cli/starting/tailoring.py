"""Making the reference company's repository somebody's own: names replaced, everything that is only its own left out.

Words are replaced in what any company has (steps, chaos, failover, how its database is built). What a company says of
itself (plan, workload) is written with the adopter's names, with the limits, durations and scenarios of the reference.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.load.workload import load_workload
from drdrill.plan import load_plan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jinja2 import Environment

    from drdrill.cli.starting.names import Names

# Statements of the reference's own tables: an adopter writes these with tables of their own.
_OWN_STATEMENTS = ("bad_delete", "drop_table", "backup_damage")
_OWN_SCENARIOS = ("bad_delete", "drop_table", "backup_lacks_rows")
_OWN_FILES = ("system", "environments/embedded/deploy_system.py", "environments/embedded/build_system.py",
              "environments/embedded/images.yaml")  # fmt: skip
_PLAN, _FEATURE = "scenarios/plan.yaml", "scenarios/database_failure.feature"
_ENVIRONMENT, _WORKLOAD = "environments/embedded/environment.yaml", "environments/embedded/workload.yaml"
_TOP = re.compile(r"^(\w+):", re.MULTILINE)
_QUOTED = re.compile(
    r"^(\s*# )Section \d[^.:]*[.:] ", re.MULTILINE
)  # a comment that names the company's document
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
    for name in _OWN_FILES:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for statement in _OWN_STATEMENTS:
        for path in (folder / "chaos" / "experiments").glob(f"database_{statement}.*"):
            path.unlink()
    _write_plan(folder / _PLAN, reference, names, templates)
    _write_workload(folder / _WORKLOAD, names, templates)
    _keep_scenarios(folder / _FEATURE)
    _cut_system(folder / _ENVIRONMENT)
    for path in folder.rglob("*"):
        if path.suffix in _TEXTS:
            path.write_text(rename(path.read_text(encoding="utf-8"), reference, names), encoding="utf-8")


def rename(text: str, reference: Reference, names: Names) -> str:
    """Put an adopter's names in the place of the reference company's; what it calls its rows are rows."""
    service = reference.service
    for pattern, replacement in (
        (reference.store, names.store),
        (f"{service}-recovery", f"{names.service}-recovery"),
        (f"{service}_database", f"{names.database}_database"),
        (reference.user, f"{names.database}_app"),
        (f'DBName="{service}"', f'DBName="{names.database}"'),
        (f'"{service}"', f'"{names.service}"'),
        (rf"(failover\.\w+) {service}", rf"\1 {names.service}"),
        (service, "rows"),
        (service.capitalize(), "Rows"),
        (service.removesuffix("s"), "row"),
        (reference.company, names.slug),
        (reference.company.capitalize(), names.company),
        ("core_financial", "core"),
        (reference.primary_region, names.primary_region),
        (reference.recovery_region, names.recovery_region),
    ):
        text = re.sub(pattern, replacement, text)
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


def _write_plan(path: Path, reference: Reference, names: Names, templates: Environment) -> None:
    blocks = split_blocks(path.read_text(encoding="utf-8"))
    scenarios = {
        name: entry.replace(f"service: {reference.service}", f"service: {names.service}")
        for name, entry in split_entries(blocks["scenarios"]).items()
        if name not in _OWN_SCENARIOS
    }
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


def _write_workload(path: Path, names: Names, templates: Environment) -> None:
    blocks = split_blocks(path.read_text(encoding="utf-8"))
    text = templates.get_template("workload.yaml").render(
        names=names, **{name: blocks[name] for name in ("amount", "load", "peak", "prober")}
    )
    path.write_text(text, encoding="utf-8")


def _keep_scenarios(path: Path) -> None:
    head, *scenarios = path.read_text(encoding="utf-8").split("  @scenario:")
    kept = [one for one in scenarios if one.partition("\n")[0] not in _OWN_SCENARIOS]
    path.write_text("  @scenario:".join([_cut_quotation(head), *kept]).rstrip() + "\n", encoding="utf-8")


def _cut_quotation(head: str) -> str:
    lines: Iterable[str] = head.splitlines()
    return "\n".join(line for line in lines if line.startswith(("@", "Feature:"))) + "\n\n"


def _cut_system(path: Path) -> None:
    """Take away how the reference's services are built, and where its regions are; the databases' part is any one's."""
    text = path.read_text(encoding="utf-8")
    block = split_blocks(text)["system"]
    text = re.sub(r"(?:^#[^\n]*\n)*" + re.escape(block) + r"\n*", "", text, count=1, flags=re.MULTILINE)
    path.write_text(re.sub(r"; from [^\n]*", "", text), encoding="utf-8")
