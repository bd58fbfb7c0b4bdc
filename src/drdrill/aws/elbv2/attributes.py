"""Attributes of load balancers and target groups: AWS's names and defaults, and which of them the mirror can change.

Sources: API reference, LoadBalancerAttribute and TargetGroupAttribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.elbv2.model import Kind, Pairs
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

IDLE_TIMEOUT = "idle_timeout.timeout_seconds"
DELETION_PROTECTION = "deletion_protection.enabled"
CROSS_ZONE = "load_balancing.cross_zone.enabled"
DEREGISTRATION_DELAY = "deregistration_delay.timeout_seconds"
ALGORITHM = "load_balancing.algorithm.type"
INHERIT = "use_load_balancer_configuration"
_LOGS = {"access_logs.s3.enabled": "false", "access_logs.s3.bucket": "", "access_logs.s3.prefix": ""}

_BALANCER: Mapping[Kind, Mapping[str, str]] = {
    Kind.APPLICATION: {
        **_LOGS,
        "connection_logs.s3.enabled": "false",
        "connection_logs.s3.bucket": "",
        "connection_logs.s3.prefix": "",
        IDLE_TIMEOUT: "60",
        DELETION_PROTECTION: "false",
        CROSS_ZONE: "true",
        "client_keep_alive.seconds": "3600",
        "routing.http2.enabled": "true",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.xff_client_port.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
        "waf.fail_open.enabled": "false",
        "zonal_shift.config.enabled": "false",
    },
    Kind.NETWORK: {
        **_LOGS,
        DELETION_PROTECTION: "false",
        CROSS_ZONE: "false",
        "dns_record.client_routing_policy": "any_availability_zone",
        "zonal_shift.config.enabled": "false",
    },
}
_HEALTH = {
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_GROUP: Mapping[Kind, Mapping[str, str]] = {
    Kind.APPLICATION: {
        **_HEALTH,
        DEREGISTRATION_DELAY: "300",
        CROSS_ZONE: INHERIT,
        ALGORITHM: "round_robin",
        "load_balancing.algorithm.anomaly_mitigation": "off",
        "slow_start.duration_seconds": "0",
        "stickiness.enabled": "false",
        "stickiness.type": "lb_cookie",
        "stickiness.lb_cookie.duration_seconds": "86400",
        "stickiness.app_cookie.cookie_name": "",
        "stickiness.app_cookie.duration_seconds": "86400",
    },
    Kind.NETWORK: {
        **_HEALTH,
        DEREGISTRATION_DELAY: "300",
        CROSS_ZONE: INHERIT,
        "deregistration_delay.connection_termination.enabled": "false",
        "preserve_client_ip.enabled": "false",
        "proxy_protocol_v2.enabled": "false",
        "stickiness.enabled": "false",
        "stickiness.type": "source_ip",
    },
}


def _one_of(*words: str) -> Callable[[str], bool]:
    return lambda value: value in words


def _between(least: int, most: int) -> Callable[[str], bool]:
    return lambda value: value.isdigit() and least <= int(value) <= most


_BOOLEAN = _one_of("true", "false")
_BALANCER_CHANGES: Mapping[Kind, Mapping[str, Callable[[str], bool]]] = {
    Kind.APPLICATION: {IDLE_TIMEOUT: _between(1, 4000), DELETION_PROTECTION: _BOOLEAN},
    Kind.NETWORK: {CROSS_ZONE: _BOOLEAN, DELETION_PROTECTION: _BOOLEAN},
}
_GROUP_CHANGES: Mapping[Kind, Mapping[str, Callable[[str], bool]]] = {
    Kind.APPLICATION: {
        DEREGISTRATION_DELAY: _between(0, 3600),
        CROSS_ZONE: _one_of("true", "false", INHERIT),
        ALGORITHM: _one_of("round_robin", "least_outstanding_requests"),
    },
    Kind.NETWORK: {
        DEREGISTRATION_DELAY: _between(0, 3600),
        CROSS_ZONE: _one_of("true", "false", INHERIT),
    },
}
_UNIMPLEMENTED_VALUES = ("weighted_random",)


def default_balancer_attributes(kind: Kind) -> Pairs:
    """Return the attributes of a load balancer on which nobody has set any."""
    return tuple(_BALANCER[kind].items())


def default_group_attributes(kind: Kind) -> Pairs:
    """Return the attributes of a target group on which nobody has set any."""
    return tuple(_GROUP[kind].items())


def change_balancer_attributes(kind: Kind, now: Pairs, wanted: Mapping[str, str]) -> Pairs:
    """Return a load balancer's attributes with some of them changed; raises AWS's error for what cannot be."""
    return _change("load balancer", _BALANCER[kind], _BALANCER_CHANGES[kind], now, wanted)


def change_group_attributes(kind: Kind, now: Pairs, wanted: Mapping[str, str]) -> Pairs:
    """Return a target group's attributes with some of them changed; raises AWS's error for what cannot be."""
    return _change("target group", _GROUP[kind], _GROUP_CHANGES[kind], now, wanted)


def _change(
    what: str,
    defaults: Mapping[str, str],
    changes: Mapping[str, Callable[[str], bool]],
    now: Pairs,
    wanted: Mapping[str, str],
) -> Pairs:
    for key, value in wanted.items():
        if key not in defaults:
            text = f"The {what} attribute key '{key}' is not recognized"
            raise AwsError("InvalidConfigurationRequest", text)
        if value == defaults[key]:
            continue
        if key not in changes or value in _UNIMPLEMENTED_VALUES:
            raise NotImplementedInMirrorError(f"The {what} attribute {key} with the value {value!r}")
        if not changes[key](value):
            text = f"The value '{value}' of the {what} attribute '{key}' is not valid"
            raise AwsError("InvalidConfigurationRequest", text)
    return tuple({**dict(now), **wanted}.items())
