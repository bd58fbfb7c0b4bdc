"""Operations on the rules of listeners."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.actions import describe_action, read_action
from drdrill.aws.elbv2.balancer_operations import refuse_unimplemented
from drdrill.aws.elbv2.conditions import describe_condition, read_conditions
from drdrill.aws.elbv2.forwarding import require_compatible
from drdrill.aws.elbv2.model import Kind, Rule
from drdrill.aws.elbv2.records import select_page
from drdrill.aws.elbv2.tag_operations import read_tags
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.protocol import Parameters

_LAST_PRIORITY = 50000
_MOST_RULES = 100  # of a load balancer, default ones not counted (quotas)
_UNIMPLEMENTED = ("Transforms",)


class RuleOperations:
    """The operations on the rules of one region."""

    def __init__(self, region: ElbRegion) -> None:
        self._region = region
        self._records = region.records

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateRule": self.create_rule,
            "DescribeRules": self.describe_rules,
            "ModifyRule": self.modify_rule,
            "SetRulePriorities": self.set_rule_priorities,
            "DeleteRule": self.delete_rule,
        }

    def create_rule(self, parameters: Parameters) -> Mapping[str, Any]:
        """Add a rule to a listener."""
        refuse_unimplemented("CreateRule", parameters, _UNIMPLEMENTED)
        conditions, action = read_conditions(parameters["Conditions"]), read_action(parameters["Actions"])
        priority, tags = _read_priority(parameters["Priority"]), read_tags(parameters)
        with self._records.lock:
            listener = self._records.listener(parameters["ListenerArn"])
            balancer = self._records.balancer(listener.balancer)
            if balancer.kind is Kind.NETWORK:
                raise AwsError("UnsupportedProtocol", "Rules are supported for HTTP and HTTPS listeners only")
            rules = self._records.rules_of(listener.arn)
            if any(rule.priority == priority for rule in rules):
                raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
            if len(rules) > _MOST_RULES:
                raise AwsError("TooManyRules", "The maximum number of rules has been reached")
            require_compatible(self._records, balancer, action)
            rule = Rule(self._region.arns.name_rule(listener.arn), listener.arn, priority, conditions, action)
            self._records.rules[rule.arn] = rule
            self._records.tags[rule.arn] = tags
        return {"Rules": [_describe(rule)]}

    def describe_rules(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the rules that are named, or those of a listener in the order of their priorities."""
        arns, listener = parameters.get("RuleArns"), parameters.get("ListenerArn")
        if bool(arns) == bool(listener):
            raise AwsError("ValidationError", "You must specify either rule ARNs or a listener ARN")
        with self._records.lock:
            if arns:
                listed: Sequence[Rule] = [self._records.rule(arn) for arn in arns]
            else:
                listed = self._records.rules_of(self._records.listener(str(listener)).arn)
            page, more = select_page(listed, parameters, key=_rank)
        return {"Rules": [_describe(one) for one in page], **more}

    def modify_rule(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change what a rule looks for, or does; what is not named stays."""
        refuse_unimplemented("ModifyRule", parameters, (*_UNIMPLEMENTED, "ResetTransforms"))
        conditions, actions = parameters.get("Conditions"), parameters.get("Actions")
        with self._records.lock:
            rule = self._records.rule(parameters["RuleArn"])
            if rule.priority is None:
                raise AwsError(
                    "OperationNotPermitted", "Default rule cannot be modified; modify the listener"
                )
            if conditions:
                rule = replace(rule, conditions=read_conditions(conditions))
            if actions:
                rule = replace(rule, action=read_action(actions))
                balancer = self._records.balancer(self._records.listener(rule.listener).balancer)
                require_compatible(self._records, balancer, rule.action)
            self._records.rules[rule.arn] = rule
        return {"Rules": [_describe(rule)]}

    def set_rule_priorities(self, parameters: Parameters) -> Mapping[str, Any]:
        """Give rules other priorities, all in one step."""
        wanted = {one["RuleArn"]: _read_priority(one["Priority"]) for one in parameters["RulePriorities"]}
        with self._records.lock:
            changed = {}
            for arn, priority in wanted.items():
                rule = self._records.rule(arn)
                if rule.priority is None:
                    text = "The priority of the default rule cannot be changed"
                    raise AwsError("OperationNotPermitted", text)
                changed[arn] = replace(rule, priority=priority)
            for listener in {rule.listener for rule in changed.values()}:
                after = [changed.get(one.arn, one).priority for one in self._records.rules_of(listener)]
                if len(set(after)) < len(after):
                    raise AwsError("PriorityInUse", "A priority is currently in use")
            self._records.rules.update(changed)
        return {"Rules": [_describe(rule) for rule in changed.values()]}

    def delete_rule(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take a rule away."""
        with self._records.lock:
            rule = self._records.rule(parameters["RuleArn"])
            if rule.priority is None:
                raise AwsError("OperationNotPermitted", "Default rule cannot be deleted")
            del self._records.rules[rule.arn]
            self._records.tags.pop(rule.arn, None)
        return {}


def _read_priority(value: int) -> int:
    if not 1 <= value <= _LAST_PRIORITY:
        raise AwsError("ValidationError", f"Priority must be from 1 to {_LAST_PRIORITY}")
    return value


def _rank(rule: Rule) -> str:
    return f"{_LAST_PRIORITY + 1 if rule.priority is None else rule.priority:05} {rule.arn}"


def _describe(rule: Rule) -> dict[str, Any]:
    return {
        "RuleArn": rule.arn,
        "Priority": "default" if rule.priority is None else str(rule.priority),
        "Conditions": [describe_condition(one) for one in rule.conditions],
        "Actions": describe_action(rule.action),
        "IsDefault": rule.priority is None,
    }
