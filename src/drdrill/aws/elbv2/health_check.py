"""How targets are checked: read from requests with AWS's defaults and limits, and described again.

Sources: API reference, CreateTargetGroup; User Guides, "Health checks for target groups".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.model import HealthCheck
from drdrill.aws.elbv2.proxying import read_matcher
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.dataplane.envoy_configuration import CheckProtocol

if TYPE_CHECKING:
    from drdrill.aws.protocol import Parameters

_SAME_PORT = "traffic-port"
_HIGHEST_PORT = 65535
_INTERVALS, _TIMEOUTS, _THRESHOLDS = (5, 300), (2, 120), (2, 10)
_MATCHER = re.compile(r"[2-5]\d\d(?:-[2-5]\d\d)?(?:,[2-5]\d\d(?:-[2-5]\d\d)?)*")
_LONGEST_PATH = 1024
# By the group's protocol: checked how, timeout, healthy threshold, unhealthy one, good statuses.
_DEFAULTS = {
    "HTTP": HealthCheck(CheckProtocol.HTTP, 0, "/", 30, 5, 5, 2, "200"),
    "HTTPS": HealthCheck(CheckProtocol.HTTPS, 0, "/", 30, 5, 5, 2, "200"),
    "TCP": HealthCheck(CheckProtocol.TCP, 0, "", 30, 10, 5, 2, ""),
}
_NETWORK_MATCHER, _NETWORK_TIMEOUT = "200-399", 6  # of a TCP group that is checked over HTTP


def make_check(group_protocol: str, parameters: Parameters) -> HealthCheck:
    """Return how a new group's targets are checked; raises AWS's error for what cannot be."""
    return change_check(group_protocol, _DEFAULTS[group_protocol], parameters)


def change_check(group_protocol: str, now: HealthCheck, parameters: Parameters) -> HealthCheck:
    """Return how targets are checked after a request; raises AWS's error for what cannot be."""
    if parameters.get("HealthCheckEnabled") is False:
        text = "Health checks must be enabled for target groups with the target types instance and ip"
        raise AwsError("InvalidConfigurationRequest", text)
    protocol = _read_protocol(group_protocol, str(parameters.get("HealthCheckProtocol", now.protocol.value)))
    if protocol is not now.protocol:
        if protocol is CheckProtocol.TCP:
            now = _DEFAULTS["TCP"]
        elif now.protocol is CheckProtocol.TCP:
            now = HealthCheck(protocol, now.port, "/", 30, _NETWORK_TIMEOUT, 5, 2, _NETWORK_MATCHER)
    check = HealthCheck(
        protocol,
        _read_port(parameters["HealthCheckPort"]) if "HealthCheckPort" in parameters else now.port,
        parameters.get("HealthCheckPath", now.path),
        _read_number(parameters, "HealthCheckIntervalSeconds", now.interval_seconds, _INTERVALS),
        _read_number(parameters, "HealthCheckTimeoutSeconds", now.timeout_seconds, _TIMEOUTS),
        _read_number(parameters, "HealthyThresholdCount", now.healthy_threshold, _THRESHOLDS),
        _read_number(parameters, "UnhealthyThresholdCount", now.unhealthy_threshold, _THRESHOLDS),
        _read_statuses(parameters, now.matcher),
    )
    _check_together(check, parameters)
    return check


def _check_together(check: HealthCheck, parameters: Parameters) -> None:
    if check.timeout_seconds >= check.interval_seconds and check.protocol is not CheckProtocol.TCP:
        text = f"Health check timeout '{check.timeout_seconds}' must be smaller than the interval"
        raise AwsError("ValidationError", f"{text} '{check.interval_seconds}'")
    if check.protocol is CheckProtocol.TCP:
        for name in ("HealthCheckPath", "Matcher"):
            if parameters.get(name):
                text = f"{name} cannot be specified for health checks with the protocol TCP"
                raise AwsError("InvalidConfigurationRequest", text)
    elif not check.path.startswith("/") or len(check.path) > _LONGEST_PATH:
        raise AwsError("ValidationError", f"Health check path '{check.path}' must begin with a '/' character")


def describe_check(check: HealthCheck) -> dict[str, Any]:
    """Return the members of a `TargetGroup` of the API that tell how it is checked."""
    return {
        "HealthCheckProtocol": check.protocol.value,
        "HealthCheckPort": str(check.port or _SAME_PORT),
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": check.interval_seconds,
        "HealthCheckTimeoutSeconds": check.timeout_seconds,
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        "HealthCheckPath": check.path or None,
        "Matcher": {"HttpCode": check.matcher} if check.matcher else None,
    }


def _read_protocol(group_protocol: str, text: str) -> CheckProtocol:
    if text not in set(CheckProtocol) or (text == "TCP" and group_protocol != "TCP"):
        raise AwsError("ValidationError", f"Health check protocol '{text}' is not valid")
    if text != group_protocol and not (group_protocol == "TCP" and text == "HTTP"):
        what = f"The health check protocol {text} of elbv2 target groups with the protocol {group_protocol}"
        raise NotImplementedInMirrorError(what)
    return CheckProtocol(text)


def _read_port(text: str) -> int:
    if text == _SAME_PORT:
        return 0
    if not text.isdigit() or not 1 <= int(text) <= _HIGHEST_PORT:
        raise AwsError("ValidationError", f"Health check port '{text}' is not valid")
    return int(text)


def _read_number(parameters: Parameters, name: str, otherwise: int, bounds: tuple[int, int]) -> int:
    value = int(parameters.get(name, otherwise))
    least, most = bounds
    if name in parameters and not least <= value <= most:
        raise AwsError("ValidationError", f"{name} '{value}' must be in the range '{least}-{most}'")
    return value


def _read_statuses(parameters: Parameters, otherwise: str) -> str:
    matcher = parameters.get("Matcher", {})
    if matcher.get("GrpcCode"):
        raise NotImplementedInMirrorError("The parameter GrpcCode of elbv2 target groups")
    text = str(matcher.get("HttpCode", otherwise))
    if "HttpCode" in matcher:
        in_order = _MATCHER.fullmatch(text) and all(first <= last for first, last in read_matcher(text))
        if not in_order:
            raise AwsError("ValidationError", f"Health check matcher HTTP code '{text}' is not valid")
    return text
