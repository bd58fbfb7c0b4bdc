"""The options of the plugin, and their values as the rest of drdrill sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DEFAULT_ENVIRONMENT = "embedded"


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """What the command line says of drills. All paths are absolute; `rootdir` is the drill repository.

    `seed` is None when the drill is to draw one, `record` is None when nobody wants the record.
    """

    environment: str
    reports: Path
    seed: int | None
    plan: Path
    record: Path | None
    rootdir: Path
    mirror: str | None = None
    failover_command: str | None = None
    failover_event: Path | None = None


def add_options(parser: pytest.Parser) -> None:
    """Declare the options; the plugin alone does."""
    group = parser.getgroup("drdrill", "disaster recovery drills")
    group.addoption(
        "--environment",
        metavar="NAME",
        default=DEFAULT_ENVIRONMENT,
        help=f"the environment to drill in (default: {DEFAULT_ENVIRONMENT})",
    )
    group.addoption(
        "--drill-class",
        metavar="CLASS",
        default=None,
        help="run only the scenarios that are tagged `@class:CLASS`, such as `database`",
    )
    group.addoption(
        "--drill-scenario",
        metavar="NAME",
        action="append",
        default=[],
        help="run only the scenario of this name in the plan; may be given several times",
    )
    group.addoption(
        "--drill-reports",
        metavar="DIR",
        default=None,
        help="where drills write their directories (default: reports/ of the drill repository)",
    )
    group.addoption(
        "--drill-seed",
        metavar="N",
        type=int,
        default=None,
        help="the seed of everything random in a drill (default: drawn, and stated in the report)",
    )
    group.addoption(
        "--drill-plan",
        metavar="FILE",
        default=None,
        help="the plan (default: scenarios/plan.yaml of the drill repository)",
    )
    group.addoption(
        "--drill-mirror",
        metavar="NAME",
        default=None,
        help="drill in the standing mirror of this name, and leave it standing (default: a mirror of its own)",
    )
    group.addoption(
        "--drill-failover-command",
        metavar="TEXT",
        default=None,
        help="run this in the runbook's place: a line for the shell, or a handler MODULE:FUNCTION",
    )
    group.addoption(
        "--drill-failover-event",
        metavar="FILE",
        default=None,
        help="the event that the handler is called with (JSON)",
    )
    group.addoption(
        "--drill-record",
        metavar="FILE",
        default=None,
        help="append one JSON line for every scenario that was run: its outcome and its directory",
    )
    group.addoption(
        "--drill-mistakes",
        metavar="FILE",
        default=None,
        help="append one JSON line for every mistake that was found in a feature file",
    )


def read_options(config: pytest.Config) -> DrillOptions:
    """Return the options' values; a path on the command line is relative to where pytest was called."""
    root = config.rootpath
    return DrillOptions(
        environment=config.getoption("--environment"),
        reports=_path(config, "--drill-reports") or root / "reports",
        seed=config.getoption("--drill-seed"),
        plan=_path(config, "--drill-plan") or root / "scenarios" / "plan.yaml",
        record=_path(config, "--drill-record"),
        rootdir=root,
        mirror=config.getoption("--drill-mirror"),
        failover_command=config.getoption("--drill-failover-command"),
        failover_event=_path(config, "--drill-failover-event"),
    )


def read_mistakes_path(config: pytest.Config) -> Path | None:
    """Return the file that mistakes are to be appended to, or None."""
    return _path(config, "--drill-mistakes")


def _path(config: pytest.Config, option: str) -> Path | None:
    value = config.getoption(option)
    return None if value is None else config.invocation_params.dir / value


def check_options(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` for an environment or a disaster class that does not exist.

    Costs nothing while the defaults stand: what it needs is imported only for an option that was given.
    """
    environment = config.getoption("--environment")
    if environment != DEFAULT_ENVIRONMENT:
        from drdrill.environment.registry import CANONICAL, environment_names  # noqa: PLC0415 (see above)

        installed = environment_names()
        if environment in CANONICAL and environment not in installed:
            raise pytest.UsageError(f"--environment: the environment `{environment}` is not installed here.")
        if environment not in installed:
            remedy = choices(environment, (*CANONICAL, *installed))
            raise pytest.UsageError(f"--environment: there is no environment `{environment}`.{remedy}")
    wanted = config.getoption("--drill-class")
    if wanted is not None:
        from drdrill.plan.model import DisasterClass  # noqa: PLC0415 (see above)

        if wanted not in list(DisasterClass):
            raise pytest.UsageError(
                f"--drill-class: there is no disaster class `{wanted}`.{choices(wanted, list(DisasterClass))}"
            )


def choices(word: str, known: Iterable[str]) -> str:
    """Return the remedy for a wrong word: the nearest right one, or all of them; begins with a space."""
    from difflib import get_close_matches  # noqa: PLC0415 (only for a mistake)

    known = [str(each) for each in known]
    nearest = get_close_matches(word, known, n=1)
    if nearest:
        return f" Did you mean `{nearest[0]}`?"
    return f" Known: {', '.join(f'`{each}`' for each in known)}." if known else ""
