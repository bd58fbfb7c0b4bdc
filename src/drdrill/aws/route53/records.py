"""Resource record sets: as requests say them, as answers describe them, and as the DNS server wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.route53.canonical_zones import is_balancer
from drdrill.aws.route53.domain_names import canonical, escape
from drdrill.dataplane.dns_records import FailoverRole, Policy, RecordSet

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")
ACTIONS = ("CREATE", "DELETE", "UPSERT")
_POLICIES = ("Weight", "Region", "Failover", "MultiValueAnswer")
_KNOWN = frozenset(
    {"Name", "Type", "TTL", "ResourceRecords", "AliasTarget", "HealthCheckId", "SetIdentifier", *_POLICIES}
)
_LONGEST_TTL, _HIGHEST_WEIGHT, _LONGEST_IDENTIFIER = 2**31 - 1, 255, 128
_DUALSTACK = "dualstack."


@dataclass(frozen=True, slots=True)
class Alias:
    """What an alias leads to: a name, with a dot at its end, in a hosted zone."""

    zone: str
    name: str
    evaluates: bool

    @property
    def answered(self) -> str:
        """Return the name that is looked up for it, without a dot: that of a load balancer may begin `dualstack.`."""
        plain = self.name.removeprefix(_DUALSTACK)
        return (plain if is_balancer(plain) else self.name).rstrip(".")


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record set. Its name ends with a dot; `identifier` is `` for a simple one."""

    name: str
    type: str
    identifier: str = ""
    policy: Policy = Policy.SIMPLE
    weight: int = 0
    role: FailoverRole = FailoverRole.PRIMARY
    region: str = ""
    ttl_seconds: int = 0
    values: tuple[str, ...] = ()
    alias: Alias | None = None
    check: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what there is one record for."""
        return self.name, self.type, self.identifier

    @property
    def title(self) -> str:
        """Return how AWS's errors name it."""
        identified = f", set identifier='{self.identifier}'" if self.identifier else ""
        return f"resource record set [name='{escape(self.name)}', type='{self.type}'{identified}]"

    def publish(self) -> RecordSet:
        """Return it as the DNS server wants it."""
        return RecordSet(
            values=self.values,
            ttl_seconds=self.ttl_seconds,
            alias=self.alias.answered if self.alias else "",
            evaluates_target=self.alias.evaluates if self.alias else False,
            check=self.check,
            policy=self.policy,
            weight=self.weight,
            role=self.role,
            region=self.region,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a batch: `CREATE`, `UPSERT` or `DELETE`, and the record."""

    action: str
    record: Record


def read_change(described: Mapping[str, Any]) -> Change:
    """Return what a request asks for; raises AWS's `InvalidInput` for what no record set can be."""
    action, said = described["Action"], described["ResourceRecordSet"]
    if action not in ACTIONS:
        _refuse(f"the action {action} is none of {', '.join(ACTIONS)}")
    for name in sorted(said.keys() - _KNOWN):
        raise NotImplementedInMirrorError(
            f"The member {name} of a record in route53:ChangeResourceRecordSets"
        )
    kind, name = said["Type"], canonical(said["Name"])
    if kind not in TYPES:
        raise NotImplementedInMirrorError(f"A record of the type {kind} in route53:ChangeResourceRecordSets")
    identifier = said.get("SetIdentifier")
    place = f"Change with [Action={action}, Name={name}, Type={kind}, SetIdentifier={identifier or 'null'}]"
    policy = _read_policy(said, place)
    alias, values = _read_target(said, place)
    if policy is Policy.MULTIVALUE and alias:
        _refuse(f"MultiValueAnswer cannot be combined with AliasTarget in {place}")
    weight, ttl = int(said.get("Weight", 0)), int(said.get("TTL", 0))
    if not (0 <= weight <= _HIGHEST_WEIGHT and 0 <= ttl <= _LONGEST_TTL):
        _refuse(f"Weight must be from 0 to {_HIGHEST_WEIGHT}, and TTL from 0 to {_LONGEST_TTL} in {place}")
    roles = [role.value for role in FailoverRole]
    if said.get("Failover", roles[0]) not in roles:
        _refuse(f"Failover must be one of {', '.join(roles)} in {place}")
    return Change(
        action,
        Record(
            name=name,
            type=kind,
            identifier=identifier or "",
            policy=policy,
            weight=weight,
            role=FailoverRole(said.get("Failover", roles[0])),
            region=said.get("Region", ""),
            ttl_seconds=ttl,
            values=values,
            alias=alias,
            check=said.get("HealthCheckId", ""),
        ),
    )


def describe(record: Record) -> Mapping[str, Any]:
    """Return a record set as answers have it."""
    said: dict[str, Any] = {"Name": escape(record.name), "Type": record.type}
    if record.identifier:
        said["SetIdentifier"] = record.identifier
    match record.policy:
        case Policy.WEIGHTED:
            said["Weight"] = record.weight
        case Policy.FAILOVER:
            said["Failover"] = record.role.value
        case Policy.LATENCY:
            said["Region"] = record.region
        case Policy.MULTIVALUE:
            said["MultiValueAnswer"] = True
    if record.alias:
        said["AliasTarget"] = {
            "HostedZoneId": record.alias.zone,
            "DNSName": record.alias.name,
            "EvaluateTargetHealth": record.alias.evaluates,
        }
    else:
        said["TTL"] = record.ttl_seconds
        said["ResourceRecords"] = [{"Value": value} for value in record.values]
    return said | ({"HealthCheckId": record.check} if record.check else {})


def _read_policy(said: Mapping[str, Any], place: str) -> Policy:
    asked = [name for name in _POLICIES if said.get(name) is not None]
    identifier = said.get("SetIdentifier")
    if identifier and len(identifier) > _LONGEST_IDENTIFIER:
        _refuse(f"SetIdentifier must have at most {_LONGEST_IDENTIFIER} characters in {place}")
    if asked and not identifier:
        _refuse(f"Missing field 'SetIdentifier' in {place}")
    if (identifier and not asked) or len(asked) > 1:
        wanted = (
            "Expected exactly one of [Weight, Region, Failover, GeoLocation, or MultiValueAnswer], but found"
        )
        _refuse(f"{wanted} {'more than one' if asked else 'none'} in {place}")
    if not asked:
        return Policy.SIMPLE
    if said.get("MultiValueAnswer") is False:
        _refuse(f"MultiValueAnswer must be true, or not there, in {place}")
    return {
        "Weight": Policy.WEIGHTED,
        "Region": Policy.LATENCY,
        "Failover": Policy.FAILOVER,
        "MultiValueAnswer": Policy.MULTIVALUE,
    }[asked[0]]


def _read_target(said: Mapping[str, Any], place: str) -> tuple[Alias | None, tuple[str, ...]]:
    """Return where a record set leads: an alias, or values."""
    target = said.get("AliasTarget")
    values = tuple(one["Value"] for one in said.get("ResourceRecords", ()))
    plain = [name for name in ("TTL", "ResourceRecords") if said.get(name) not in (None, [])]
    if (target and plain) or (not target and len(plain) < 2):  # noqa: PLR2004 (both are needed)
        wanted = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
        found = "more than one" if target else "none"
        _refuse(f"{wanted}, but found {found} in {place}")
    if not target:
        return None, values
    alias = Alias(target["HostedZoneId"], canonical(target["DNSName"]), target["EvaluateTargetHealth"])
    return alias, ()


def _refuse(why: str) -> None:
    raise AwsError("InvalidInput", f"Invalid request: {why}")
