"""The tags of features: `@key:value` is metadata with a known key, a plain `@tag` is a pytest marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.plan.model import DisasterClass
from drdrill.pytest_plugin.options import choices

if TYPE_CHECKING:
    from collections.abc import Collection

KEYS = (
    "class",  # the disaster class; `drdrill run CLASS` selects by it
    "scenario",  # the scenario of the plan that this is
    "severity",
    "owner",
    "epic",
    "story",
    "issue",
    "tms",
    "clause",  # the clause of a standard that the scenario is evidence for
    "link",
)
_VALUES: dict[str, tuple[str, ...]] = {
    "class": tuple(DisasterClass),
    "severity": ("blocker", "critical", "normal", "minor", "trivial"),
}


def check_tag(tag: str, *, markers: Collection[str]) -> tuple[str, str] | None:
    """Return problem and remedy of a wrong tag (given without `@`), or None for a right one."""
    key, colon, value = tag.partition(":")
    if not colon:
        return None if key in markers else (f"there is no marker `{tag}`.", _marker_remedy(tag, markers))
    if key not in KEYS:
        return f"`{key}` is not a known key.", choices(key, KEYS).strip()
    if not value:
        return f"the value is missing after `{key}:`.", ""
    known = _VALUES.get(key)
    if known is not None and value not in known:
        return f"there is no {key} `{value}`.", choices(value, known).strip()
    return None


def _marker_remedy(tag: str, markers: Collection[str]) -> str:
    wanted = choices(tag, (*markers, *(f"{key}:" for key in KEYS))).strip()
    return wanted if wanted.startswith("Did") else "Declare it in `markers` of pytest's configuration."
