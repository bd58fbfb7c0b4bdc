"""Conditions of rules: read from requests with AWS's refusals, and described again.

Sources: API reference, RuleCondition; ALB User Guide, "Condition types for listener rules".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.model import Condition
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST, PATH, HEADER, METHOD = "host-header", "path-pattern", "http-header", "http-request-method"
_CONFIGS = {
    HOST: "HostHeaderConfig",
    PATH: "PathPatternConfig",
    HEADER: "HttpHeaderConfig",
    METHOD: "HttpRequestMethodConfig",
}
_ONCE = (HOST, PATH, METHOD)
_MOST_VALUES = 5  # of all conditions of a rule (quotas)
_LONGEST = 128
_UNIMPLEMENTED = ("query-string", "source-ip")


def read_conditions(described: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Return the conditions of a rule; raises AWS's error for what cannot be."""
    conditions = tuple(_read(one) for one in described)
    if not conditions:
        raise AwsError("ValidationError", "A rule must have at least one condition")
    fields = [one.field for one in conditions]
    for field in _ONCE:
        if fields.count(field) > 1:
            text = f"A rule can have only one '{field}' condition"
            raise AwsError("InvalidConfigurationRequest", text)
    if sum(len(one.values) for one in conditions) > _MOST_VALUES:
        text = f"A rule can have at most {_MOST_VALUES} condition values"
        raise AwsError("InvalidConfigurationRequest", text)
    return conditions


def describe_condition(condition: Condition) -> dict[str, Any]:
    """Return a `RuleCondition` of the API."""
    config: dict[str, Any] = {"Values": list(condition.values)}
    if condition.header:
        config["HttpHeaderName"] = condition.header
    said: dict[str, Any] = {"Field": condition.field, _CONFIGS[condition.field]: config}
    if condition.field in (HOST, PATH):
        said["Values"] = list(condition.values)
    return said


def _read(described: Mapping[str, Any]) -> Condition:
    field = described.get("Field", "")
    if field in _UNIMPLEMENTED:
        raise NotImplementedInMirrorError(f"The condition {field} of elbv2 rules")
    if field not in _CONFIGS:
        raise AwsError("ValidationError", f"Condition field '{field}' must be one of {', '.join(_CONFIGS)}")
    config = described.get(_CONFIGS[field], {})
    for source in (described, config):
        if source.get("RegexValues"):
            raise NotImplementedInMirrorError("The parameter RegexValues of elbv2 conditions")
    values = tuple(config.get("Values") or (described.get("Values", ()) if field in (HOST, PATH) else ()))
    if not values or not all(0 < len(value) <= _LONGEST for value in values):
        text = f"A '{field}' condition must have values of 1 to {_LONGEST} characters"
        raise AwsError("ValidationError", text)
    header = str(config.get("HttpHeaderName", "")) if field == HEADER else ""
    if field == HEADER and not header:
        raise AwsError("ValidationError", "An 'http-header' condition must name a header")
    return Condition(field, values, header)
