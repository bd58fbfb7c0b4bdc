"""DB instances by their names, and what earlier runs left on them."""

from __future__ import annotations

from typing import Any

FROM, TO = "restored-from", "restored-to"  # tags: what was restored, and to which moment


def read_all(rds: Any) -> dict[str, dict[str, Any]]:
    """Return what AWS says of all instances, by name.

    All at one look: of one that is being renamed, two looks at its two names may both see nothing.
    """
    pages = rds.get_paginator("describe_db_instances").paginate()
    return {one["DBInstanceIdentifier"]: one for page in pages for one in page["DBInstances"]}


def read_tag(instance: dict[str, Any], key: str) -> str | None:
    """Return the value of one of its tags; None: it has no such tag."""
    return next((tag["Value"] for tag in instance.get("TagList", ()) if tag["Key"] == key), None)


def becomes(instance: dict[str, Any], name: str) -> bool:
    """Tell whether an instance is being renamed to that name already."""
    pending = instance.get("PendingModifiedValues") or {}
    return bool(pending.get("DBInstanceIdentifier") == name)
