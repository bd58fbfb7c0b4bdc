"""Health checks: what a request may say of one, what it becomes, and how answers describe it.

Source: API reference, HealthCheckConfig and UpdateHealthCheck; developer guide, "Values that you specify when you
create or update health checks".
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.route53.domain_names import canonical, is_name
from drdrill.dataplane.health_probe import Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

REGIONS = (
    "us-east-1", "us-west-1", "us-west-2", "eu-west-1",
    "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1",
)  # fmt: skip
CALCULATED = "CALCULATED"
_ENDPOINTS = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
_ELSEWHERE = ("CLOUDWATCH_METRIC", "RECOVERY_CONTROL")
_SEARCHING = "_STR_MATCH"
_PORTS = {"HTTP": 80, "HTTPS": 443}
_INTERVALS = (10, 30)
_HIGHEST_THRESHOLD, _HIGHEST_PORT, _FEWEST_REGIONS, _MOST_CHILDREN, _LONGEST_SEARCH = 10, 65535, 3, 256, 255
_FIXED = ("Type", "RequestInterval", "MeasureLatency")  # for the life of a check
_KNOWN = frozenset({
    *_FIXED, "IPAddress", "Port", "ResourcePath", "FullyQualifiedDomainName", "SearchString", "FailureThreshold",
    "Inverted", "Disabled", "HealthThreshold", "ChildHealthChecks", "EnableSNI", "Regions",
})  # fmt: skip
_DEFAULTS: Mapping[str, Any] = {
    "MeasureLatency": False, "Inverted": False, "Disabled": False, "RequestInterval": 30, "FailureThreshold": 3,
}  # fmt: skip
_RESETTABLE = ("FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks")


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A health check; `config` is AWS's structure, complete with its defaults, and valid."""

    identifier: str
    reference: str
    config: Mapping[str, Any]
    version: int = 1

    @property
    def type(self) -> str:
        """Return its type in AWS's words."""
        return str(self.config["Type"])

    @property
    def inverted(self) -> bool:
        """Whether healthy counts as unhealthy."""
        return bool(self.config["Inverted"])

    @property
    def disabled(self) -> bool:
        """Whether nobody looks, and it counts as healthy."""
        return bool(self.config["Disabled"])

    @property
    def children(self) -> tuple[str, ...]:
        """The ids of the checks that a calculated one counts."""
        return tuple(self.config.get("ChildHealthChecks", ()))

    @property
    def regions(self) -> tuple[str, ...]:
        """Where checkers look from."""
        return tuple(self.config.get("Regions") or REGIONS)

    def probe(self) -> Probe:
        """Return what checkers look at; not of a calculated one."""
        config, kind = self.config, self.type.removesuffix(_SEARCHING)
        name = str(config.get("FullyQualifiedDomainName", ""))
        return Probe(
            identifier=self.identifier,
            type=kind,
            address=str(config.get("IPAddress") or name),
            port=int(config["Port"]),
            host=name,
            path=str(config.get("ResourcePath", "/")),
            search=str(config.get("SearchString", "")),
            server_name=bool(config.get("EnableSNI", False)),
            interval_seconds=int(config["RequestInterval"]),
            failure_threshold=int(config["FailureThreshold"]),
        )

    def describe(self) -> Mapping[str, Any]:
        """Return it as answers have it."""
        return {
            "Id": self.identifier,
            "CallerReference": self.reference,
            "HealthCheckConfig": self.config,
            "HealthCheckVersion": self.version,
        }


def complete(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a check's configuration with AWS's defaults; raises `InvalidInput` for what none can have."""
    kind = said["Type"]
    if kind in _ELSEWHERE:
        raise NotImplementedInMirrorError(f"A health check of the type {kind} in route53:CreateHealthCheck")
    for name in sorted(said.keys() - _KNOWN):
        raise NotImplementedInMirrorError(f"The member {name} of a health check in route53:CreateHealthCheck")
    if kind not in (*_ENDPOINTS, CALCULATED):
        _refuse(f"the type {kind} is none of {', '.join((*_ENDPOINTS, CALCULATED, *_ELSEWHERE))}")
    config = dict(said)
    if kind == CALCULATED:
        return _complete_calculated(config)
    plain = kind.removesuffix(_SEARCHING)
    config = {**_DEFAULTS, **({"Port": _PORTS[plain]} if plain in _PORTS else {}), **config}
    if plain == "HTTPS":
        config.setdefault("EnableSNI", True)
    _require_endpoint(config, plain)
    return config


def update(check: HealthCheck, said: Mapping[str, Any]) -> HealthCheck:
    """Return a check as UpdateHealthCheck leaves it; raises AWS's errors."""
    version = said.get("HealthCheckVersion", check.version)
    if version != check.version:
        text = f"The health check version {version} does not match the current version {check.version}."
        raise AwsError("HealthCheckVersionMismatch", text, status=409)
    kept = {name: value for name, value in check.config.items() if name not in said.get("ResetElements", ())}
    for name in said.get("ResetElements", ()):
        if name not in _RESETTABLE:
            _refuse(f"the element {name} cannot be reset")
    changed = {
        name: value
        for name, value in said.items()
        if name not in ("HealthCheckId", "HealthCheckVersion", "ResetElements")
    }
    return replace(check, config=complete({**kept, **changed}), version=check.version + 1)


def _complete_calculated(config: dict[str, Any]) -> Mapping[str, Any]:
    for name in ("IPAddress", "FullyQualifiedDomainName", "Port", "ResourcePath", "SearchString", "Regions"):
        if config.get(name):
            _refuse(f"{name} cannot be specified for a health check of the type {CALCULATED}")
    children, threshold = config.get("ChildHealthChecks", []), config.get("HealthThreshold")
    if threshold is None or not 0 <= threshold <= _MOST_CHILDREN:
        _refuse(
            f"HealthThreshold must be from 0 to {_MOST_CHILDREN} for a health check of the type {CALCULATED}"
        )
    if len(children) > _MOST_CHILDREN:
        _refuse(f"a health check has at most {_MOST_CHILDREN} child health checks")
    calculated = {name: _DEFAULTS[name] for name in ("MeasureLatency", "Inverted", "Disabled")}
    return {**calculated, "ChildHealthChecks": list(children), **config}


def _require_endpoint(config: Mapping[str, Any], plain: str) -> None:
    kind, address, name = config["Type"], config.get("IPAddress"), config.get("FullyQualifiedDomainName")
    misplaced = ["ChildHealthChecks", "HealthThreshold", *(["ResourcePath"] if plain == "TCP" else [])]
    for member in misplaced:
        if config.get(member):
            _refuse(f"{member} cannot be specified for a health check of the type {kind}")
    if not address and not name:
        _refuse("either IPAddress or FullyQualifiedDomainName has to be specified")
    if address:
        _require_public(address)
    if name and not is_name(canonical(name)):
        _refuse(f"FullyQualifiedDomainName {name} is not a valid domain name")
    searches = kind.endswith(_SEARCHING)
    if searches is not bool(config.get("SearchString")):
        _refuse(
            f"SearchString {'must' if searches else 'cannot'} be specified for a health check of the type {kind}"
        )
    _require_numbers(config)
    regions = config.get("Regions") or REGIONS
    if any(region not in REGIONS for region in regions) or len(set(regions)) < _FEWEST_REGIONS:
        _refuse(f"at least {_FEWEST_REGIONS} regions have to be specified, of {', '.join(REGIONS)}")


def _require_numbers(config: Mapping[str, Any]) -> None:
    if "Port" not in config or not 1 <= config["Port"] <= _HIGHEST_PORT:
        _refuse(f"Port must be from 1 to {_HIGHEST_PORT}")
    if len(config.get("SearchString", "")) > _LONGEST_SEARCH:
        _refuse(f"SearchString must have at most {_LONGEST_SEARCH} characters")
    if config["RequestInterval"] not in _INTERVALS:
        _refuse(f"RequestInterval must be one of {', '.join(map(str, _INTERVALS))}")
    if not 1 <= config["FailureThreshold"] <= _HIGHEST_THRESHOLD:
        _refuse(f"FailureThreshold must be from 1 to {_HIGHEST_THRESHOLD}")


def _require_public(address: str) -> None:
    """Refuse addresses that no checker on the internet reaches. The mirror's internet is 198.18.0.0/15."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        _refuse(f"{address} is not a valid IP address")
    else:
        if parsed.version != 4:  # noqa: PLR2004 (IPv4)
            raise NotImplementedInMirrorError("An IPv6 address in route53:CreateHealthCheck")
        inside = parsed in ipaddress.ip_network("198.18.0.0/15")
        if not inside and (
            parsed.is_private or parsed.is_multicast or parsed.is_loopback or parsed.is_link_local
        ):
            _refuse(f"the IP address {address} is in a local, private, non-routable or multicast range")


def _refuse(why: str) -> None:
    raise AwsError("InvalidInput", f"Invalid parameter: {why}.")
