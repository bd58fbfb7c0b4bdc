"""What a proxy is to do, as values; `envoy_resources` says it in Envoy's own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class CheckProtocol(StrEnum):
    """How a proxy asks an endpoint whether it is healthy."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    TCP = "TCP"


@dataclass(frozen=True, slots=True)
class Check:
    """A health check; `statuses` are the first and last of each range that is good."""

    protocol: CheckProtocol
    path: str
    statuses: tuple[tuple[int, int], ...]
    interval: timedelta
    timeout: timedelta
    healthy_after: int
    unhealthy_after: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an upstream answers; `check_port` where it is checked, if that is somewhere else."""

    address: str
    port: int
    check_port: int | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """Endpoints that do the same. `server_name`: it is one server on the internet, found by that name.

    `tls_name`: what its certificate is for, issued by one of the `authorities` (PEM); ``: nobody asks whose it is.
    """

    name: str
    endpoints: tuple[Endpoint, ...] = ()
    check: Check | None = None
    tls: bool = False
    least_requests: bool = False
    server_name: str = ""
    port: int = 0
    tls_name: str = ""
    authorities: str = ""


@dataclass(frozen=True, slots=True)
class Forward:
    """Send a request on to one of some upstreams, by weight; `host`: under another name than it came with.

    `path`: a pattern and what replaces it in the path (RE2). `timeout`: of the whole answer; None: however long it is.
    """

    weights: tuple[tuple[str, int], ...]
    host: str = ""
    path: tuple[str, str] | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the client somewhere else; empty parts stay as they are, `query` None too."""

    permanent: bool
    scheme: str = ""
    host: str = ""
    port: int = 0
    path: str = ""
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer at once."""

    status: int
    content_type: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """What is done with requests that fit: patterns (RE2) of host, path, methods and headers; none fits all."""

    action: Forward | Redirect | Answer
    host: str = ""
    path: str = ""
    method: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain and its key in PEM."""

    chain: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpListener:
    """A port that speaks HTTP, with TLS if it has certificates; the first route that fits is taken.

    `says_json`: its own errors are an API's, not a load balancer's.
    """

    port: int
    routes: tuple[Route, ...]
    certificates: tuple[Certificate, ...] = ()
    idle_timeout: timedelta = timedelta(seconds=60)
    server: str = ""
    says_json: bool = False


@dataclass(frozen=True, slots=True)
class TcpListener:
    """A port whose connections are passed on as they are."""

    port: int
    upstream: str
    idle_timeout: timedelta = timedelta(seconds=350)


@dataclass(frozen=True, slots=True)
class ProxyConfiguration:
    """All of it."""

    listeners: tuple[HttpListener | TcpListener, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
