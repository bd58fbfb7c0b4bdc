"""moto's process: its server behind a socket that is open already, made to agree with the mirror about places.

What moto does not implement is answered with status 501 and nothing else; the gate says it in AWS's words. moto itself
would answer with status 500 and a page, which SDKs try again.
"""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from moto.backends import get_backend
from moto.ec2.models import subnets, vpcs
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.exceptions import NotFound
from werkzeug.serving import make_server

from drdrill.aws.ec2.places import VPC, vpc_network
from drdrill.mirror.replica_versions import teach_replica_versions
from drdrill.mirror.upstream.moto_corrections import correct_moto
from drdrill.mirror.upstream.moto_state import KeptState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    StartResponse = Callable[[str, list[tuple[str, str]]], object]

_OWN = frozenset({"moto_api", "instance_metadata"})  # known by the path alone, whichever host was called


class _Handler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet."""


def settle_places(account: str, zones: Sequence[Mapping[str, str]]) -> None:
    """Give each region of the mirror its own zones, and its default VPC with their ranges; others have none."""
    RegionsAndZonesBackend.zones.clear()
    for zone in zones:
        made = Zone(zone["name"], zone["region"], zone["id"])
        RegionsAndZonesBackend.zones.setdefault(zone["region"], []).append(made)
    for region in RegionsAndZonesBackend.zones:
        ec2 = get_backend("ec2")[account][region]
        own = [zone for zone in zones if zone["region"] == region]
        for subnet in ec2.describe_subnets():
            ec2.delete_subnet(subnet.id)
        ec2.delete_vpc(ec2.default_vpc.id)
        _choose_next_id(vpcs, "random_vpc_id", VPC)
        ec2.default_vpc = ec2.create_vpc(vpc_network(own[0]["network"]), is_default=True)
        gateway = ec2.create_internet_gateway()
        ec2.attach_internet_gateway(gateway.id, VPC)
        (table,) = ec2.describe_route_tables(filters={"vpc-id": VPC})
        ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
        for zone in own:
            _choose_next_id(subnets, "random_subnet_id", zone["subnet"])
            ec2.create_subnet(VPC, zone["network"], availability_zone=zone["name"])


def _choose_next_id(module: Any, maker: str, identifier: str) -> None:
    """Have moto give the next thing that it makes an id of ours; there is no parameter for it."""
    usual = getattr(module, maker)

    def choose() -> str:
        setattr(module, maker, usual)
        return identifier

    setattr(module, maker, choose)


def create_app(service: Any) -> Flask:
    """Return moto's application for a service, in which a path that it does not know is no *404 Not Found*.

    What is moto's own has none: who calls `/moto-api/reset`, as an object of a bucket, would have it forget everything.
    """
    if service in _OWN:
        raise NotImplementedError(service)
    app = create_backend_app(service)

    @app.errorhandler(NotFound)
    def _(error: NotFound) -> Any:
        if request.routing_exception is not None:
            raise NotImplementedError(request.path)
        return error

    return app


class NotImplementedSaid:
    """A WSGI application around moto's: says with its status that an operation is not implemented."""

    def __init__(self, application: Callable[[dict[str, Any], StartResponse], Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        environ["wsgi.url_scheme"] = (
            "https"  # as its caller spoke to the gate: it stands in the URLs of queues
        )
        try:
            return self._application(environ, start_response)
        except NotImplementedError as error:
            start_response("501 Not Implemented", [("Content-Type", "text/plain")])
            return [str(error).encode()]
        except Exception as error:  # noqa: BLE001 (an edge: its server would answer a page, and say nothing)
            traceback.print_exc()
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [f"{type(error).__name__}: {error}".encode()]


def main() -> None:
    """Serve until the world ends."""
    descriptor, task = int(sys.argv[1]), json.loads(sys.argv[2])
    secret = sys.stdin.read()
    settle_places(task["account"], task["zones"])
    correct_moto()
    known = teach_replica_versions(DomainDispatcherApplication(create_app))
    application = KeptState(NotImplementedSaid(known), secret)
    server = make_server(
        "unix://upstream", 0, application, threaded=True, request_handler=_Handler, fd=descriptor
    )
    server.daemon_threads = True  # type: ignore[attr-defined]  # of the threaded server that was asked for
    server.serve_forever()


if __name__ == "__main__":
    main()
