"""Which services and operations an upstream answers for, and which of its answers would be lies.

An upstream keeps what it is told, and that is all that the services here are: objects, keys, parameters, messages,
rules. What would have to *do* something to a machine is never delegated, because nothing would happen; it is refused by
name. Security groups, routes and gateways are kept and described as they were made; the mirror's routers do not read
them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.buckets import FIRST_REGION, Buckets
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.request_body import Body
from drdrill.aws.upstream import Call, Reply, Upstream, read_call, scope, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Hook = Callable[[Call, Reply], Reply]
    Door = Callable[[Call, Body], Reply]

_EVERYTHING = re.compile(".+")
_NETWORK = (
    "Vpc|Vpcs|VpcAttribute|VpcCidrBlock|VpcTenancy|Subnet|Subnets|SubnetAttribute|SubnetCidrBlock|RouteTable|RouteTables|"
    "RouteTableAssociation|Route|InternetGateway|InternetGateways|EgressOnlyInternetGateway|EgressOnlyInternetGateways|"
    "NatGateway|NatGateways|SecurityGroup|SecurityGroups|SecurityGroupRules|SecurityGroupIngress|SecurityGroupEgress|"
    "SecurityGroupRuleDescriptionsIngress|SecurityGroupRuleDescriptionsEgress|NetworkAcl|NetworkAcls|NetworkAclEntry|"
    "NetworkAclAssociation|DhcpOptions|VpcEndpoint|VpcEndpoints|VpcEndpointServices|Address|Addresses|AddressesAttribute|"
    "NetworkInterfaces|ManagedPrefixList|ManagedPrefixLists|ManagedPrefixListEntries|PrefixLists|Tags|AccountAttributes|"
    "FlowLogs"
)
_VERBS = (
    "Create|CreateDefault|Delete|Describe|Modify|Attach|Detach|Associate|Disassociate|Replace|Authorize|Revoke|Allocate|"
    "Release|Update|Get"
)
# By the names in signatures. What a service's pattern does not fit is refused, as are all other services.
_DELEGATED: Mapping[str, re.Pattern[str]] = {
    # moto answers for what follows with the list of the bucket's objects.
    "s3": re.compile(
        "(?!.*(?:Analytics|IntelligentTiering|Metadata(?:Table)?Configuration|MetadataInventory|MetadataJournal|Metrics|"
        "Abac|Torrent|Session|DirectoryBuckets|SelectObjectContent|WriteGetObjectResponse|RequestPayment|RenameObject|"
        "ObjectEncryption$)).+"
    ),
    "iam": _EVERYTHING,
    "kms": _EVERYTHING,
    "acm": _EVERYTHING,
    "secretsmanager": _EVERYTHING,
    "sns": _EVERYTHING,
    "sqs": _EVERYTHING,
    "logs": re.compile("(?!StartQuery|GetQueryResults|StartLiveTail).+"),
    "events": re.compile("(?!.*(?:Replay|Endpoint|ApiDestination)).+"),
    "dynamodb": re.compile(
        "DescribeContinuousBackups|(?!.*(?:GlobalTable|Backup|Export|Import|KinesisStreaming)|RestoreTable).+"
    ),
    # Not commands, automations and sessions: there is no agent that would run them.
    "ssm": re.compile(
        ".*(?:Parameter|Parameters|ParametersByPath|ParameterHistory|ParameterVersion)|.*Tags.*"
    ),
    "sts": re.compile(
        "AssumeRole|GetCallerIdentity|GetSessionToken|GetAccessKeyInfo|DecodeAuthorizationMessage"
    ),
    "ec2": re.compile(f"(?:{_VERBS})(?:{_NETWORK})"),
}
_GLOBAL = frozenset({"iam"})  # one for all regions, signed for the first one
_TEMPORARY = "ASIA"  # how the ids of keys begin that STS gave (IAM User Guide, "Unique identifiers")
_KEY = re.compile(r"Credential=([^/,\s]+)/")
_NOT_IMPLEMENTED, _FIRST_FAILURE = 501, 500
_SAID = 500  # characters of what an upstream says of its own failure


class Delegation:
    """Hands calls on to an upstream. `regions` are those of the mirror. Thread-safe."""

    def __init__(self, upstream: Upstream, regions: Sequence[str]) -> None:
        self.upstream = upstream
        self.buckets = Buckets(self._look_for_bucket)
        self._regions = frozenset(regions)
        self._hooks: dict[str, Hook] = {}
        self._doors: dict[str, Door] = {}

    def hear(self, service: str, hook: Hook) -> None:
        """Have every answer of a service pass by `hook`, before its caller sees it, which may see another one then."""
        self._hooks[service] = hook

    def stand_before(self, service: str, door: Door) -> None:
        """Have `door` answer every call of a service, which may `forward` it; S3 calls name the bucket in the path."""
        self._doors[service] = door

    def covers(self, region: str, service: str) -> bool:
        """Say whether a service of a region is the upstream's; a bucket's region may be found out later."""
        if service not in _DELEGATED:
            return False
        first = service in _GLOBAL or service == "s3"
        return region in self._regions or (first and region in (FIRST_REGION, ""))

    def services_in(self, region: str) -> frozenset[str]:
        """Return the services of a region that are the upstream's; those for all regions are of the first one."""
        there = region == FIRST_REGION
        return frozenset(
            name for name in _DELEGATED if self.covers(region, name) and (there or name not in _GLOBAL)
        )

    def takes_over(self, environ: Mapping[str, Any], service: str) -> bool:
        """Say whether the upstream answers what ours could, too: who somebody is whom it gave a role."""
        found = _KEY.search(str(environ.get("HTTP_AUTHORIZATION", "")))
        return service == "sts" and found is not None and found[1].startswith(_TEMPORARY)

    def answer(
        self, environ: Mapping[str, Any], region: str, service: str, operation: str, body: Body
    ) -> Reply:
        """Have the upstream answer a call; raises AWS's errors for what it must not, or cannot."""
        what = f"{service}:{operation} in {region}" if operation else f"{service} in {region}"
        if not _DELEGATED[service].fullmatch(operation or "?"):
            raise NotImplementedInMirrorError(what)
        call = read_call(environ, region, service, operation)
        if service == "s3":
            call = self.buckets.place(call)
        reply = self._doors.get(service, self.forward)(call, body)
        hook = self._hooks.get(service)
        return hook(call, reply) if hook else reply

    def forward(self, call: Call, body: Body) -> Reply:
        """Hand a call on to the upstream; raises AWS's errors where that does not answer, or cannot."""
        reply = send(self.upstream, call, body)
        what = f"{call.service}:{call.operation}" if call.operation else call.service
        if reply.status == _NOT_IMPLEMENTED:
            b"".join(reply.chunks)  # closes its connection
            raise NotImplementedInMirrorError(f"{what} in {call.region}")
        if reply.status >= _FIRST_FAILURE and reply.header("content-type").startswith("text/"):
            # No API of AWS answers so, and an SDK would make no sense of it.
            said = b"".join(reply.chunks).decode(errors="replace")[:_SAID]
            text = f"{self.upstream.name} failed at {what} in {call.region}: {said}"
            raise AwsError("InternalFailure", text, status=500)
        return reply

    def _look_for_bucket(self, bucket: str) -> str | None:
        headers = (("Authorization", scope(FIRST_REGION, "s3")),)
        host = f"s3.{FIRST_REGION}.amazonaws.com"
        call = Call(FIRST_REGION, "s3", "HeadBucket", "HEAD", host, f"/{bucket}", headers)
        reply = send(self.upstream, call, Body.of(b""))
        b"".join(reply.chunks)
        return reply.header("x-amz-bucket-region") or None
