"""Loading a plan: the schema's checks and the plan's own rules, together; and which runbooks it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drdrill.plan.checking import check_document_and_promises, check_plan_document
from drdrill.plan.model import Plan
from drdrill.plan.part import RUNBOOK_PATTERN
from drdrill.plan.yaml_file import check_model, load_model, read_document

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.errors import Mistake
    from drdrill.plan.document import Place


def load_plan(path: Path) -> Plan:
    """Return the plan in a file. Raises `InvalidInputError` with every mistake in it."""
    return load_model(path, Plan, rules=check_plan_document)


def check_plan(path: Path, *, promises: bool = False) -> tuple[Mistake, ...]:
    """Return every mistake in a plan file, in the order of the file; none if it can be loaded.

    `promises`: also every objective that what the plan itself names cannot meet. Such a plan can be loaded: a drill is
    what shows that it is missed.
    """
    rules = check_document_and_promises if promises else check_plan_document
    return tuple(check_model(path, Plan, rules=rules)[1])


def read_named_runbooks(path: Path) -> dict[str, Place]:
    """Return the runbooks that scenarios of a plan file name, each with the first place that names it.

    Only names that may be one: the schema speaks of others, and of a file that cannot be read.
    """
    document = read_document(path)[0]
    named: dict[str, Place] = {}
    for scenario in document.members_at("scenarios").values() if document else ():
        place = scenario.find("runbook")
        if place is not None and isinstance(place.data, str) and re.fullmatch(RUNBOOK_PATTERN, place.data):
            named.setdefault(place.data, place)
    return named
