"""What the region's gateway is to do, from what the API was told: pure.

Sources: API Gateway Developer Guide, "Create routes for HTTP APIs" (full match, then greedy variable, then `$default`),
"Create HTTP proxy integrations", "Create private integrations", "Custom domain names for HTTP APIs"; API reference,
TlsConfig.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drdrill.aws.apigatewayv2.model import DEFAULT
from drdrill.dataplane.envoy_configuration import (
    Answer,
    Forward,
    HttpListener,
    ProxyConfiguration,
    Route,
    Upstream,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.aws.apigatewayv2 import model
    from drdrill.dataplane.envoy_configuration import Certificate

_VARIABLE = re.compile(r"\{([\w-]+)(\+?)\}")
_JSON = "application/json"
_NOT_FOUND = Answer(404, _JSON, '{"message":"Not Found"}')
_FORBIDDEN = Answer(403, _JSON, '{"message":"Forbidden"}')
_UNAVAILABLE = Answer(503, _JSON, '{"message":"Service Unavailable"}')
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Entry:
    """A way in: host and path under which a deployed API can be called; `stripped`: the path is not handed on."""

    host: str
    base: str
    routes: tuple[model.Route, ...]
    integrations: Mapping[str, model.Integration]
    stage: str


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Where a load balancer's listener is reached."""

    name: str
    port: int


def make_gateway(
    entries: Sequence[Entry],
    links: Mapping[str, LinkTarget],
    certificates: Sequence[Certificate],
    *,
    authorities: str,
) -> ProxyConfiguration:
    """Return what the gateway is to do; `links` by the ARN of a listener, `authorities` (PEM): whom it trusts."""
    upstreams: dict[str, Upstream] = {}
    routes: list[Route] = []
    ordered = sorted(entries, key=lambda entry: -len(entry.base))
    for entry in ordered:
        for route in sorted(entry.routes, key=_rank):
            integration = entry.integrations.get(route.integration)
            upstream = _make_upstream(integration, links, authorities) if integration else None
            if integration is None or upstream is None:
                action: Forward | Answer = _UNAVAILABLE
            else:
                upstreams[upstream.name] = upstream
                action = _forward(entry, route, integration, upstream)
            method, path = _make_pattern(entry, route)
            routes.append(Route(action, host=_host(entry.host), path=path, method=method))
    routes += [Route(_NOT_FOUND, host=_host(entry.host)) for entry in ordered]
    routes.append(Route(_FORBIDDEN))
    listener = HttpListener(
        443, tuple(routes), tuple(certificates), timedelta(seconds=35), "apigateway", says_json=True
    )
    return ProxyConfiguration((listener,), tuple(upstreams.values()))


def _host(name: str) -> str:
    return f"(?i){re.escape(name)}(?::[0-9]+)?"


def _rank(route: model.Route) -> tuple[bool, bool, int, int, bool]:
    """Return what the most specific route has the least of."""
    method, _, path = route.key.partition(" ")
    variables = _VARIABLE.findall(path)
    greedy = any(plus for _, plus in variables)
    return route.key == DEFAULT, greedy, -len(path.split("/")), len(variables), method == "ANY"


def _make_pattern(entry: Entry, route: model.Route) -> tuple[str, str]:
    """Return patterns of methods and paths; variables are groups, in their order."""
    base = re.escape(entry.base)
    if route.key == DEFAULT:
        return "", f"{base}(?:/.*)?"
    method, _, path = route.key.partition(" ")
    parts = re.split(r"(\{[\w-]+\+?\})", path.rstrip("/"))
    pattern = "".join(
        ("(.+)" if part.endswith("+}") else "([^/]+)") if part.startswith("{") else re.escape(part)
        for part in parts
    )
    return "" if method == "ANY" else method, f"{base}{pattern}/?"


def _make_upstream(
    integration: model.Integration, links: Mapping[str, LinkTarget], authorities: str
) -> Upstream | None:
    """Return where an integration leads; a private one is spoken to in TLS if it says whose certificate that takes."""
    if integration.link:
        target = links.get(integration.uri)
        if target is None:  # the listener is gone
            return None
        host, port, tls_name = target.name, target.port, integration.tls_name
    else:
        parts = urlsplit(integration.uri)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        tls_name = host if parts.scheme == "https" else ""
    return Upstream(
        f"{host}-{port}-{tls_name}" if tls_name else f"{host}-{port}",
        server_name=host,
        port=port,
        tls=bool(tls_name),
        tls_name=tls_name,
        authorities=authorities if tls_name else "",
    )


def _forward(entry: Entry, route: model.Route, integration: model.Integration, upstream: Upstream) -> Forward:
    timeout = timedelta(milliseconds=integration.timeout_ms)
    weights = ((upstream.name, 1),)
    if integration.link:  # the path goes on as it came, with the stage's name in it
        return Forward(weights, timeout=timeout)
    path = urlsplit(integration.uri).path or "/"
    names = [name for name, _ in _VARIABLE.findall(route.key)]
    rewritten = _VARIABLE.sub(
        lambda found: f"\\{names.index(found[1]) + 1}" if found[1] in names else found[0], path
    )
    _, pattern = _make_pattern(entry, route)
    return Forward(
        weights, host=urlsplit(integration.uri).netloc, path=(f"^{pattern}$", rewritten), timeout=timeout
    )
