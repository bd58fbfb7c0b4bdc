"""What the actions and probes of experiments call: plain words and texts in, plain JSON out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.errors import UsageError
from drdrill.faults.catalogue import read_kind, read_role
from drdrill.faults.sanitise import Json, fields_to_json
from drdrill.faults.session import current_session
from drdrill.plan.duration import parse_duration

if TYPE_CHECKING:
    from datetime import timedelta


def inject(
    kind: str, store: str, role: str, amount: str = "", *, statement: str = "", doomed: str = ""
) -> dict[str, Json]:
    """Break the member of `store` that plays `role`, if the guard allows it, and return what was done.

    `amount`: how much, for kinds that know more and less. `statement`: the SQL of a kind that is one, `doomed`: a query
    of the keys of the rows that it destroys.

    Raises `RefusedError` (nothing was touched), `UsageError` for a mistyped word, or what the environment
    raised.
    """
    active = current_session().inject(
        read_kind(kind), store, read_role(role), amount, statement=statement, doomed=doomed
    )
    injection = active.presumed_injection()
    return fields_to_json(
        {name: getattr(injection, name) for name in ("kind", "resource", "before_ns", "after_ns", "details")}
    )


def observe_effect(kind: str, store: str, within: str) -> dict[str, Json]:
    """Watch for up to `within` (such as `30 s`) until the fault shows, and return the reading.

    Raises `NotObservedError` with the last reading.
    """
    return current_session().observe_effect(read_kind(kind), store, within=_read_within(within))


def heal(kind: str, store: str) -> dict[str, Json]:
    """Mend what that fault broke in `store`, and return what was done."""
    return current_session().heal(read_kind(kind), store)


def observe_healed(kind: str, store: str, within: str) -> dict[str, Json]:
    """Watch for up to `within` (such as `60 s`) until `store` is whole again, and return the reading.

    Raises `NotObservedError` with the last reading.
    """
    return current_session().observe_healed(read_kind(kind), store, within=_read_within(within))


def _read_within(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"`{text}` is no time to wait: {error}.") from error
