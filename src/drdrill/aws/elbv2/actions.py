"""Actions of listeners and rules: read from requests with AWS's refusals, and described again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.model import FixedAction, ForwardAction, RedirectAction
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.elbv2.model import Action

_MOST_GROUPS = 5  # API reference, ForwardActionConfig; weights 0 to 999
_MOST_WEIGHT = 999
_LONGEST_BODY = 1024
_STATUS = re.compile("[245][0-9][0-9]")
_CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
_SAME = {
    "Protocol": "#{protocol}",
    "Host": "#{host}",
    "Port": "#{port}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
_REDIRECTS = ("HTTP_301", "HTTP_302")


def read_action(actions: Sequence[Mapping[str, Any]]) -> Action:
    """Return the one action of a listener or a rule that routes; raises AWS's error, or says what is not there."""
    kinds = [one["Type"] for one in actions]
    for kind in kinds:
        if kind not in _READERS:
            raise NotImplementedInMirrorError(f"The action {kind} of elbv2 listeners and rules")
    if len(actions) != 1:
        text = "A rule must have exactly one action of the types forward, redirect and fixed-response"
        raise AwsError("TooManyActions" if actions else "ValidationError", text)
    return _READERS[kinds[0]](actions[0])


def describe_action(action: Action) -> list[dict[str, Any]]:
    """Return the `Actions` of the API."""
    match action:
        case ForwardAction():
            groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in action.weights]
            said: dict[str, Any] = {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": groups,
                    "TargetGroupStickinessConfig": {"Enabled": False},
                },
            }
            if len(action.weights) == 1:
                said["TargetGroupArn"] = action.weights[0][0]
        case RedirectAction():
            config = {
                "Protocol": action.protocol,
                "Host": action.host,
                "Port": action.port,
                "Path": action.path,
                "Query": action.query,
                "StatusCode": action.status,
            }
            said = {"Type": "redirect", "RedirectConfig": config}
        case FixedAction():
            said = {
                "Type": "fixed-response",
                "FixedResponseConfig": {
                    "StatusCode": action.status,
                    "ContentType": action.content_type or None,
                    "MessageBody": action.body or None,
                },
            }
    return [said]


def _read_forward(action: Mapping[str, Any]) -> ForwardAction:
    config = action.get("ForwardConfig", {})
    if config.get("TargetGroupStickinessConfig", {}).get("Enabled"):
        raise NotImplementedInMirrorError("The parameter TargetGroupStickinessConfig of elbv2 actions")
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn", "")}]
    weights = {one.get("TargetGroupArn", ""): int(one.get("Weight", 1)) for one in groups}
    if "" in weights:
        raise AwsError("ValidationError", "A target group ARN must be specified for a forward action")
    named = action.get("TargetGroupArn")
    if named is not None and set(weights) != {named}:
        text = "You must specify the same target group in both TargetGroupArn and ForwardConfig"
        raise AwsError("InvalidLoadBalancerAction", text)
    if len(weights) > _MOST_GROUPS or len(weights) != len(groups):
        text = f"A forward action can have at most {_MOST_GROUPS} target groups, each once"
        raise AwsError("InvalidLoadBalancerAction", text)
    if not all(0 <= weight <= _MOST_WEIGHT for weight in weights.values()):
        raise AwsError("InvalidLoadBalancerAction", f"Target group weights must be from 0 to {_MOST_WEIGHT}")
    # One group alone gets everything, whatever its weight says.
    return ForwardAction(tuple(weights.items()) if len(weights) > 1 else ((next(iter(weights)), 1),))


def _read_redirect(action: Mapping[str, Any]) -> RedirectAction:
    config = action.get("RedirectConfig", {})
    status = config.get("StatusCode", "")
    if status not in _REDIRECTS:
        raise AwsError("ValidationError", f"The redirect status code '{status}' must be HTTP_301 or HTTP_302")
    parts = {name: str(config.get(name, same)) for name, same in _SAME.items()}
    if all(parts[name] == same for name, same in _SAME.items() if name != "Query"):
        text = "The redirect configuration is not valid because it creates a loop"
        raise AwsError("InvalidLoadBalancerAction", text)
    for name, part in parts.items():
        if part != _SAME[name] and "#{" in part:
            raise NotImplementedInMirrorError(f"The {name} {part!r} of elbv2 redirects")
    if parts["Path"] == _SAME["Path"] and parts["Query"] not in ("", _SAME["Query"]):
        # The proxy says another query only together with another path.
        raise NotImplementedInMirrorError(f"The Query {parts['Query']!r} without a Path of elbv2 redirects")
    if parts["Protocol"] not in ("HTTP", "HTTPS", _SAME["Protocol"]):
        raise AwsError(
            "ValidationError", f"The redirect protocol '{parts['Protocol']}' must be HTTP or HTTPS"
        )
    if parts["Port"] != _SAME["Port"] and not parts["Port"].isdigit():
        raise AwsError("ValidationError", f"The redirect port '{parts['Port']}' is not valid")
    return RedirectAction(
        status, parts["Protocol"], parts["Host"], parts["Port"], parts["Path"], parts["Query"]
    )


def _read_fixed(action: Mapping[str, Any]) -> FixedAction:
    config = action.get("FixedResponseConfig", {})
    status, kind = config.get("StatusCode", ""), config.get("ContentType", "")
    body = config.get("MessageBody", "")
    if not _STATUS.fullmatch(status):
        raise AwsError(
            "ValidationError", f"The fixed-response status code '{status}' must be 2XX, 4XX or 5XX"
        )
    if kind and kind not in _CONTENT_TYPES:
        text = f"The fixed-response content type '{kind}' must be one of {', '.join(_CONTENT_TYPES)}"
        raise AwsError("ValidationError", text)
    if len(body) > _LONGEST_BODY:
        text = f"The fixed-response body must have at most {_LONGEST_BODY} characters"
        raise AwsError("ValidationError", text)
    return FixedAction(status, kind or ("text/plain" if body else ""), body)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Action]] = {
    "forward": _read_forward,
    "redirect": _read_redirect,
    "fixed-response": _read_fixed,
}
