"""The parameters that a cache parameter group can set here: AWS's defaults, what each may be, what is refused.

All of them are in force a moment after the change, on every node: Valkey takes them while it runs.
Source: ElastiCache User Guide, "Valkey and Redis OSS parameters".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Mapping

RESERVED = "reserved-memory-percent"  # ElastiCache's own: it makes Valkey's `maxmemory` smaller
_POLICIES = (
    "volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "volatile-random", "allkeys-random", "volatile-ttl",
    "noeviction",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its default, and which values it may have: words, a range of integers, or a pattern."""

    name: str
    default: str
    description: str
    words: tuple[str, ...] = ()
    lowest: int = 0
    highest: int | None = None
    pattern: str = ""

    @property
    def kind(self) -> str:
        """Its data type, in AWS's words."""
        return "integer" if self.highest is not None else "string"

    @property
    def allowed(self) -> str:
        """Which values it may have, as AWS writes them."""
        if self.highest is not None:
            return f"{self.lowest}-{self.highest}"
        return ",".join(self.words) or self.pattern

    def allows(self, value: str) -> bool:
        """Tell whether it may have a value."""
        if self.highest is not None:
            return re.fullmatch(r"\d+", value) is not None and self.lowest <= int(value) <= self.highest
        return value in self.words if self.words else re.fullmatch(self.pattern, value) is not None


PARAMETERS: Mapping[str, Parameter] = {
    one.name: one
    for one in (
        Parameter("maxmemory-policy", "volatile-lru", "Max memory policy.", words=_POLICIES),
        Parameter("maxmemory-samples", "3", "Max memory samples.", lowest=1, highest=64),
        Parameter(RESERVED, "25", "The percent of memory reserved for non-cache usage.", highest=100),
        Parameter("timeout", "0", "Close connection if client is idle for a given number of seconds, or never if 0.",
                  highest=2147483647),
        Parameter("tcp-keepalive", "300", "If non-zero, send ACKs every given number of seconds.", highest=2147483647),
        Parameter("notify-keyspace-events", "", "The keyspace events to notify Pub/Sub clients about.",
                  pattern="[KEg$lshzxetdAmn]*"),
        Parameter("min-replicas-to-write", "0", "Replicas without which the primary takes no writes.", highest=5),
        Parameter("min-replicas-max-lag", "10", "Seconds after which a replica does not count.", highest=2147483647),
        Parameter("repl-backlog-size", "1048576", "The replication backlog size in bytes.", lowest=16384,
                  highest=2147483647),
        Parameter("slowlog-log-slower-than", "10000", "The execution time, in microseconds, to exceed.",
                  highest=2147483647),
        Parameter("slowlog-max-len", "128", "The length of the slow log.", highest=2147483647),
    )
}  # fmt: skip
# Others of AWS's: whoever wants one of them is told that it is the mirror that lacks it.
_OF_AWS = re.compile(
    r"(acllog|activ|append|client-output|close-on|cluster-|commit|databases|extended|hash-max|hll-|latency|lazyfree|lfu-|"
    r"list-|lua-|maxclients|maxmemory|proto-|rename-|repl|reserved|search-|set-max|slave|stream-|tracking|zset-)[a-z0-9-]*"
)


def find_parameter(name: str) -> Parameter:
    """Return a parameter that a group may set; raises AWS's error, or ours for one that the mirror lacks."""
    found = PARAMETERS.get(name)
    if found is not None:
        return found
    if _OF_AWS.fullmatch(name):
        raise NotImplementedInMirrorError(f"A change of the cache parameter {name}")
    raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")


def check_value(parameter: Parameter, value: str) -> None:
    """Raise AWS's error for a value that a parameter cannot have."""
    if not parameter.allows(value):
        text = f"The parameter value {value} is not valid for the parameter {parameter.name}: {parameter.allowed}"
        raise AwsError("InvalidParameterValue", text)


def give_to_server(values: Mapping[str, str], *, memory_bytes: int) -> dict[str, str]:
    """Return what a node is configured with by its group's values: every parameter, as Valkey writes it."""
    whole = {name: values.get(name, one.default) for name, one in PARAMETERS.items()}
    reserved = int(whole.pop(RESERVED))
    given = {"maxmemory": str(memory_bytes * (100 - reserved) // 100), **whole}
    return {name: value or '""' for name, value in given.items()}
