"""The engines of ElastiCache: every version that is asked for is served by the one Valkey that the mirror has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.listing import select_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters

# Engine, version as AWS names it whole, and its parameter group family; the last one of an engine is its default.
# Source: ElastiCache User Guide, "Engine versions and upgrading".
_VERSIONS = (
    ("redis", "6.2.6", "redis6.x"),
    ("redis", "7.0.7", "redis7"),
    ("redis", "7.1.0", "redis7"),
    ("valkey", "7.2.6", "valkey7"),
    ("valkey", "8.0.1", "valkey8"),
    ("valkey", "8.1.0", "valkey8"),
)
FAMILIES = tuple(dict.fromkeys(family for _, _, family in _VERSIONS))
_NODE_TYPE = re.compile(r"cache\.[a-z][a-z0-9-]*\.[a-z0-9-]+")


class EngineOperations:
    """What can be asked of engines and of their maintenance."""

    @staticmethod
    def table() -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "DescribeCacheEngineVersions": describe_cache_engine_versions,
            "DescribeUpdateActions": describe_update_actions,
        }


def describe_cache_engine_versions(parameters: Parameters) -> Mapping[str, Any]:
    """List the versions."""
    engine, family = parameters.get("Engine"), parameters.get("CacheParameterGroupFamily")
    version = str(parameters.get("EngineVersion", ""))
    found = [
        one
        for one in _VERSIONS
        if engine in (None, one[0]) and family in (None, one[2]) and _means(version, one[1])
    ]
    if parameters.get("DefaultOnly"):
        found = [one for one in found if one[1] == _default_version(one[0])]
    page, more = select_page(found, parameters, key=" ".join)
    return {
        "CacheEngineVersions": [
            {
                "Engine": one,
                "EngineVersion": number,
                "CacheParameterGroupFamily": its_family,
                "CacheEngineDescription": "Valkey" if one == "valkey" else "Redis",
                "CacheEngineVersionDescription": f"{one} version {number}",
            }
            for one, number, its_family in page
        ],
        **more,
    }


def describe_update_actions(parameters: Parameters) -> Mapping[str, Any]:
    """List the service updates: the mirror has none."""
    select_page((), parameters, key=str)
    return {"UpdateActions": []}


def find_engine(engine: str, version: str | None) -> tuple[str, str]:
    """Return the whole version and the family that are meant; raises AWS's error for one that there is not."""
    if engine == "memcached":
        raise AwsError("InvalidParameterValue", "Replication groups are not supported for engine memcached.")
    wanted = version or _default_version(engine)
    for one, number, family in _VERSIONS:
        if one == engine and _means(wanted, number):
            return number, family
    if engine not in ("redis", "valkey"):
        raise AwsError("InvalidParameterValue", f"Invalid engine: {engine}")
    if re.fullmatch(r"[2-9]\.(\d+|x)(\.\d+)?", wanted):
        raise NotImplementedInMirrorError(f"Version {wanted} of the engine {engine}")
    raise AwsError("InvalidParameterCombination", f"Cannot find version {wanted} for {engine}")


def check_node_type(node_type: str) -> None:
    """Raise AWS's error for something that is no type of a node."""
    if not _NODE_TYPE.fullmatch(node_type):
        raise AwsError("InvalidParameterValue", f"The value '{node_type}' is not a valid Cache Node Type.")


def _default_version(engine: str) -> str:
    return next((number for one, number, _ in reversed(_VERSIONS) if one == engine), "")


def _means(wanted: str, number: str) -> bool:
    """Tell whether a version is meant by how it was asked for: `7.1`, `8.0.1`, `6.x`, or nothing."""
    return wanted in ("", number) or number.startswith(wanted.removesuffix("x").removesuffix(".") + ".")
