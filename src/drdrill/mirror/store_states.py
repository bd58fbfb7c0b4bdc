"""The supervisor's answer about a store, as the port of environments has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.environment.port import StoreEvent, StoreMember, StoreRole, StoreState

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse_store(answer: Mapping[str, Any]) -> StoreState:
    """Make a `StoreState` of the supervisor's answer."""
    return StoreState(
        resource=answer["resource"],
        database=answer["database"],
        status=answer["status"],
        endpoint=answer["endpoint"],
        members=tuple(StoreMember(**{**m, "role": StoreRole(m["role"])}) for m in answer["members"]),
        protected=answer["protected"],
        role_changes_ns=tuple(answer["role_changes_ns"]),
        events=tuple(StoreEvent(**event) for event in answer["events"]),
        named_ns=answer["named_ns"],
        ttl_seconds=answer["ttl_seconds"],
    )
