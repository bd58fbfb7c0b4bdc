"""API Gateway in one region: HTTP APIs, and the gateway that answers for all of them. It is in no zone."""

from __future__ import annotations

import logging
import secrets
import string
import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from drdrill.aws.apigatewayv2.model import DEFAULT
from drdrill.aws.apigatewayv2.proxying import Entry, LinkTarget, make_gateway
from drdrill.aws.errors import AwsError
from drdrill.aws.route53.canonical_zones import find_canonical_zone
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.apigatewayv2.model import Api, Deployment, Domain, Integration, Route, Stage, VpcLink
    from drdrill.aws.apigatewayv2.model import Mapping as ApiMapping
    from drdrill.aws.elbv2.nodes import Node, NodeFleet
    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.ports import Names, Subnets
    from drdrill.aws.protocol import Parameters
    from drdrill.core.clock import Clock
    from drdrill.dataplane.envoy_configuration import Certificate

Record = TypeVar("Record")
_LOOK_EVERY_SECONDS = 0.3
_TTL_SECONDS = 60
_WORD = string.ascii_lowercase + string.digits
_log = logging.getLogger(__name__)


class GatewayCertificates(Protocol):
    """Certificates of ACM, and those of AWS's own for its names."""

    def find(self, arn: str, /) -> Certificate | None:
        """Return a certificate that is issued, with its key; None: there is none."""
        ...

    def issue(self, name: str, /) -> Certificate:
        """Return a certificate of AWS's own for one of its names."""
        ...

    @property
    def authorities(self) -> str:
        """The certificates (PEM) of those by whom servers' certificates are to be issued."""
        ...


def draw_identifier(length: int = 10) -> str:
    """Return a new id."""
    return "".join(secrets.choice(_WORD) for _ in range(length))


class GatewayRegion:
    """Thread-safe. Its machine is made, and its thread begins, with the first API or domain."""

    def __init__(
        self,
        name: str,
        account: str,
        *,
        place: str,
        fleet: NodeFleet,
        subnets: Subnets,
        balancers: ElbRegion,
        certificates: GatewayCertificates,
        names: Names,
        clock: Clock,
        watch: bool = True,
    ) -> None:
        self.name = name
        self.account = account
        self.subnets = subnets
        self.balancers = balancers
        self.certificates = certificates
        self.clock = clock
        self.lock = threading.RLock()
        self.apis: dict[str, Api] = {}
        self.integrations: dict[str, Integration] = {}
        self.routes: dict[str, Route] = {}
        self.stages: dict[tuple[str, str], Stage] = {}
        self.deployments: dict[str, Deployment] = {}
        self.links: dict[str, VpcLink] = {}
        self.domains: dict[str, Domain] = {}
        self.mappings: dict[str, ApiMapping] = {}
        self._place = place
        self._fleet = fleet
        self._names = names
        self._watch = watch
        self._node: Node | None = None
        self._thread: threading.Thread | None = None
        self._own: Certificate | None = None
        self._issued: dict[str, Certificate] = {}
        self._published: set[str] = set()
        self.answers = False

    @property
    def suffix(self) -> str:
        """What the names of all APIs of the region end with."""
        return f"execute-api.{self.name}.amazonaws.com"

    @property
    def zone_id(self) -> str | None:
        """The hosted zone of those names."""
        return find_canonical_zone(f"x.{self.suffix}.") or None

    def find(self, records: Mapping[Any, Record], key: object, what: str) -> Record:
        """Return a record; raises AWS's error when there is none."""
        found = records.get(key)
        if found is None:
            shown = key[-1] if isinstance(key, tuple) else key
            raise AwsError("NotFoundException", f"Invalid {what} identifier specified {shown}", status=404)
        return found

    def find_api(self, parameters: Parameters) -> Api:
        """Return the API that a request names; raises AWS's error when there is none."""
        return self.find(self.apis, parameters["ApiId"], "API")

    def require_certificate(self, arn: str) -> None:
        """Have a certificate at hand; raises AWS's error for one that there is not."""
        found = self.certificates.find(arn)
        if found is None:
            text = f"The provided certificate does not exist, or is not issued: {arn}"
            raise AwsError("BadRequestException", text)
        with self.lock:
            self._issued[arn] = found

    # -- the gateway ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Have a gateway; harmless when there is one."""
        with self.lock:
            if self._thread is None and self._watch:
                self._thread = threading.Thread(
                    target=self._live, name=f"apigateway-{self.name}", daemon=True
                )
                self._thread.start()

    def look(self) -> None:
        """Make the gateway if it is missing, have it do what it is to do, and publish the names that it answers."""
        if self._node is None:
            self._node = self._fleet.create("apigateway", self._place)
            self._own = self.certificates.issue(f"*.{self.suffix}")
        with self.lock:
            entries = self._list_entries()
            own = {f"{api}.{self.suffix}" for api in self.apis} | {
                one.target for one in self.domains.values()
            }
            shown = [self._issued[one.certificate] for one in self.domains.values()]
            wanted = {one.uri for one in self._all_integrations() if one.link}
        links = {arn: target for arn in wanted if (target := self._reach(arn))}
        assert self._own is not None  # noqa: S101  (made with the node)
        try:
            authorities = self.certificates.authorities
            self._node.keep(make_gateway(entries, links, [self._own, *shown], authorities=authorities))
            self.answers = self._node.look() is not None
        except DrdrillError as error:  # its power was cut meanwhile
            _log.info("%s: %s", self._node, error)
            self.answers = False
        if self.answers:
            for name in own - self._published:
                self._names.publish(name, (self._node.address,), ttl_seconds=_TTL_SECONDS)
                self._published.add(name)
        for name in self._published - own:
            self._names.withdraw(name)
        self._published &= own

    def is_settled(self) -> bool:
        """Say whether the gateway answers, and all of its names lead to it."""
        with self.lock:
            return self.answers and self._list_names() <= self._published

    def is_published(self, name: str) -> bool:
        """Tell whether one of its names leads to the gateway, which knows by now what it is to do under it."""
        return name in self._published

    def _list_names(self) -> set[str]:
        return {f"{api}.{self.suffix}" for api in self.apis} | {one.target for one in self.domains.values()}

    def _all_integrations(self) -> list[Integration]:
        deployed = [one for deployment in self.deployments.values() for one in deployment.integrations]
        return [*self.integrations.values(), *deployed]

    def _reach(self, listener_arn: str) -> LinkTarget | None:
        records = self.balancers.records
        with records.lock:
            listener = records.listeners.get(listener_arn)
            balancer = records.balancers.get(listener.balancer) if listener else None
            if listener is None or balancer is None:
                return None
            return LinkTarget(balancer.dns_name, listener.port)

    def _list_entries(self) -> list[Entry]:
        entries = []
        for stage in self.stages.values():
            if not self.apis[stage.api].endpoint_disabled:
                base = "" if stage.name == DEFAULT else f"/{stage.name}"
                entries.append(self._make_entry(f"{stage.api}.{self.suffix}", base, stage))
        for mapping in self.mappings.values():
            mapped = self.stages.get((mapping.api, mapping.stage))
            if mapped is not None:
                base = f"/{mapping.key}" if mapping.key else ""
                entries.append(self._make_entry(mapping.domain, base, mapped))
        return entries

    def _make_entry(self, host: str, base: str, stage: Stage) -> Entry:
        if stage.auto_deploy:
            routes = tuple(one for one in self.routes.values() if one.api == stage.api)
            integrations = tuple(one for one in self.integrations.values() if one.api == stage.api)
        elif stage.deployment:
            deployed = self.deployments[stage.deployment]
            routes, integrations = deployed.routes, deployed.integrations
        else:
            routes, integrations = (), ()
        return Entry(host, base, routes, {one.identifier: one for one in integrations}, stage.name)

    def _live(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # noqa: BLE001 (the thread's main: one look that fails must not be the last)
                _log.exception("a look at the gateway of %s failed", self.name)
            self.clock.sleep(_LOOK_EVERY_SECONDS)

    def drop(self, records: dict[Any, Any], matches: Callable[[Any], bool]) -> None:
        """Take records away."""
        with self.lock:
            for key in [key for key, record in records.items() if matches(record)]:
                del records[key]
