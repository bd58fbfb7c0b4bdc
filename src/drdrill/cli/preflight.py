"""Everything that is checked before a run starts anything: all mistakes of all files, at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from drdrill.core.errors import InvalidInputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.errors import Mistake


def check_everything(root: Path, plan: Path, environment: str) -> None:
    """Check plan, features, experiments, runbooks and the environment's files.

    Raises `InvalidInputError` with every mistake, and `UsageError` when the plan does not allow this environment.
    """
    from drdrill.cli.features import check_features
    from drdrill.cli.plan import find_runbooks
    from drdrill.drill.about import WORKLOAD_NAME
    from drdrill.drill.budget import BUDGET_NAME, Budget
    from drdrill.environment.registry import load_environment
    from drdrill.faults.toolkit import check_experiments
    from drdrill.load.workload import Workload
    from drdrill.plan import check_model, check_plan, load_plan
    from drdrill.plan.runbook_checking import check_runbook

    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # experiments name modules of the drill repository
    mistakes: list[Mistake] = list(check_plan(plan))
    if not mistakes:  # an environment is made for a plan
        try:
            load_environment(environment)(root, load_plan(plan))
        except InvalidInputError as error:
            mistakes += error.mistakes
    folder = root / "environments" / environment
    for name, model in ((WORKLOAD_NAME, Workload), (BUDGET_NAME, Budget)):
        mistakes += check_model(folder / name, model)[1]
    mistakes += check_experiments(root / "chaos" / "experiments")
    runbooks, missing = find_runbooks(plan)
    mistakes += missing
    for runbook in runbooks:
        mistakes += check_runbook(runbook)
    # With a broken plan every name in a feature would be one that no plan has.
    mistakes += () if mistakes else check_features(root / "scenarios", plan=plan)
    if mistakes:
        raise InvalidInputError(mistakes)
    allowed = load_plan(plan).safety.environments
    if environment not in allowed:
        raise UsageError(
            f"{plan}: safety.environments does not allow drills in `{environment}`; it allows {', '.join(allowed)}."
        )


def has_scenarios(folder: Path, disaster_class: str) -> bool:
    """Say whether a feature or a scenario under `folder` has the tag of this disaster class."""
    tag = f"@class:{disaster_class}"
    lines = (
        line for path in folder.rglob("*.feature") for line in path.read_text(encoding="utf-8").splitlines()
    )
    return any(tag in line.split() for line in lines if line.lstrip().startswith("@"))
