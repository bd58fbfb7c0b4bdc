"""Everything that one region's API was told, found by ARN, with AWS's error for what is not there. Thread-safe."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from drdrill.aws.elbv2.model import ForwardAction, Kind
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.elbv2.model import Listener, LoadBalancer, Rule, Target, TargetGroup
    from drdrill.aws.tagging import Tags

Found = TypeVar("Found")
_MOST_LISTED = 400  # API reference, PageSize


def draw_identifier() -> str:
    """Return the part of an ARN that is random."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Arns:
    """Makes the ARNs of one region."""

    region: str
    account: str

    @property
    def stem(self) -> str:
        """What all begin with."""
        return f"arn:aws:elasticloadbalancing:{self.region}:{self.account}:"

    def name_balancer(self, kind: Kind, name: str, identifier: str) -> str:
        """Return the ARN of a load balancer."""
        return f"{self.stem}loadbalancer/{kind.short}/{name}/{identifier}"

    def name_group(self, name: str) -> str:
        """Return an ARN for a new target group."""
        return f"{self.stem}targetgroup/{name}/{draw_identifier()}"

    def name_listener(self, balancer: str) -> str:
        """Return an ARN for a new listener of a load balancer."""
        return f"{balancer.replace(':loadbalancer/', ':listener/')}/{draw_identifier()}"

    def name_rule(self, listener: str) -> str:
        """Return an ARN for a new rule of a listener."""
        return f"{listener.replace(':listener/', ':listener-rule/')}/{draw_identifier()}"


class Records:
    """The records of one region. Whoever reads several that belong together, or changes any, holds `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.balancers: dict[str, LoadBalancer] = {}
        self.groups: dict[str, TargetGroup] = {}
        self.listeners: dict[str, Listener] = {}
        self.rules: dict[str, Rule] = {}
        self.tags: dict[str, Tags] = {}

    # -- looked up ------------------------------------------------------------------------------------------------

    def balancer(self, arn: str) -> LoadBalancer:
        """Return a load balancer."""
        return _find(self.balancers, arn, "loadbalancer", "LoadBalancerNotFound", "load balancers")

    def group(self, arn: str) -> TargetGroup:
        """Return a target group."""
        return _find(self.groups, arn, "targetgroup", "TargetGroupNotFound", "target groups")

    def listener(self, arn: str) -> Listener:
        """Return a listener."""
        return _find(self.listeners, arn, "listener", "ListenerNotFound", "listeners")

    def rule(self, arn: str) -> Rule:
        """Return a rule."""
        return _find(self.rules, arn, "listener-rule", "RuleNotFound", "rules")

    def listeners_of(self, balancer: str) -> tuple[Listener, ...]:
        """Return the listeners of a load balancer."""
        return tuple(one for one in self.listeners.values() if one.balancer == balancer)

    def rules_of(self, listener: str) -> tuple[Rule, ...]:
        """Return the rules of a listener, the default one last."""
        found = [one for one in self.rules.values() if one.listener == listener]
        return tuple(sorted(found, key=lambda one: (one.priority is None, one.priority or 0)))

    def default_rule(self, listener: str) -> Rule:
        """Return the default rule of a listener."""
        return self.rules_of(listener)[-1]

    def groups_of(self, balancer: str) -> tuple[TargetGroup, ...]:
        """Return the target groups that a load balancer sends requests to, each once."""
        arns = [
            arn
            for listener in self.listeners_of(balancer)
            for rule in self.rules_of(listener.arn)
            if isinstance(rule.action, ForwardAction)
            for arn, _ in rule.action.weights
        ]
        return tuple(self.groups[arn] for arn in dict.fromkeys(arns))

    def balancers_of(self, group: str) -> tuple[str, ...]:
        """Return the ARNs of the load balancers that send requests to a target group."""
        return tuple(arn for arn in self.balancers if any(one.arn == group for one in self.groups_of(arn)))

    # -- changed --------------------------------------------------------------------------------------------------

    def change_group(self, arn: str, **changes: Any) -> TargetGroup:
        """Change a target group, and return it."""
        with self.lock:
            changed = self.groups[arn] = replace(self.group(arn), **changes)
            return changed

    def change_balancer(self, arn: str, **changes: Any) -> LoadBalancer:
        """Change a load balancer, and return it."""
        with self.lock:
            changed = self.balancers[arn] = replace(self.balancer(arn), **changes)
            return changed

    def change_targets(
        self, arn: str, change: Callable[[tuple[Target, ...]], tuple[Target, ...]]
    ) -> TargetGroup:
        """Change a target group's targets in one step."""
        with self.lock:
            return self.change_group(arn, targets=change(self.group(arn).targets))

    def drop_listener(self, arn: str) -> None:
        """Take a listener away with its rules and tags."""
        with self.lock:
            for rule in self.rules_of(arn):
                del self.rules[rule.arn]
                self.tags.pop(rule.arn, None)
            del self.listeners[arn]
            self.tags.pop(arn, None)

    def drop_balancer(self, arn: str) -> None:
        """Take a load balancer away with its listeners and tags; harmless when it is not there."""
        with self.lock:
            for listener in self.listeners_of(arn):
                self.drop_listener(listener.arn)
            self.balancers.pop(arn, None)
            self.tags.pop(arn, None)


def _find(records: Mapping[str, Found], arn: str, kind: str, code: str, what: str) -> Found:
    if f":{kind}/" not in arn or not arn.startswith("arn:aws:elasticloadbalancing:"):
        raise AwsError("ValidationError", f"'{arn}' is not a valid {kind} ARN")
    found = records.get(arn)
    if found is None:
        raise AwsError(code, f"One or more {what} not found")
    return found


def select_page(
    listed: Sequence[Found], parameters: Mapping[str, Any], *, key: Callable[[Found], str]
) -> tuple[list[Found], dict[str, str]]:
    """Return the page that was asked for, in the order of the keys, and `NextMarker` if more follow."""
    size, after = int(parameters.get("PageSize", _MOST_LISTED)), parameters.get("Marker", "")
    if not 1 <= size <= _MOST_LISTED:
        raise AwsError("ValidationError", f"The page size must be 1 to {_MOST_LISTED}")
    following = sorted((one for one in listed if key(one) > after), key=key)
    more = {"NextMarker": key(following[size - 1])} if len(following) > size else {}
    return following[:size], more
