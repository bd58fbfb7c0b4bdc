"""A proxy's configuration in Envoy's words: what would be another behaviour than AWS's unless it is said."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.dataplane.envoy_configuration import (
    Answer,
    Check,
    CheckProtocol,
    Endpoint,
    Forward,
    HttpListener,
    ProxyConfiguration,
    Redirect,
    Route,
    TcpListener,
    Upstream,
)
from drdrill.dataplane.envoy_resources import make_resources

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK = Check(CheckProtocol.HTTP, "/health", ((200, 299),), timedelta(seconds=5), timedelta(seconds=2), 2, 3)


def _files(*upstreams: Upstream, routes: tuple[Route, ...] = ()) -> Mapping[str, Any]:
    listener = HttpListener(80, routes or (Route(Answer(404)),), server="awselb/2.0")
    files = make_resources(ProxyConfiguration((listener,), upstreams))
    return {name: json.loads(json.dumps(resources)) for name, resources in files.items()}


def _routes(*routes: Route) -> list[dict[str, Any]]:
    (said,) = _files(routes=routes)["rds-80.json"]
    return list(said["virtual_hosts"][0]["routes"])


def test_what_is_named_is_written_first() -> None:
    """Endpoints come before upstreams, routes before listeners: a proxy never reads of what is not there."""
    names = list(_files(Upstream("web/1", (Endpoint("10.20.0.5", 80),), CHECK)))
    assert names == ["eds-web-1.json", "cds.json", "rds-80.json", "lds.json"]


def test_upstreams_are_checked_at_their_interval_without_traffic_too() -> None:
    """Envoy would check an upstream that gets no requests once a minute."""
    (cluster,) = _files(Upstream("web", (), CHECK))["cds.json"]
    (check,) = cluster["health_checks"]
    assert {check[key] for key in ("interval", "no_traffic_interval", "no_traffic_healthy_interval")} == {
        "5s"
    }
    assert check["http_health_check"]["expected_statuses"] == [{"start": 200, "end": 300}]
    assert (check["healthy_threshold"], check["unhealthy_threshold"]) == (2, 3)


def test_all_endpoints_are_used_only_when_none_is_healthy() -> None:
    """Envoy would use all as soon as half are unhealthy, and keep one that was taken out until it fails a check."""
    (cluster,) = _files(Upstream("web"))["cds.json"]
    assert cluster["common_lb_config"]["healthy_panic_threshold"] == {"value": 1}
    assert cluster["ignore_health_on_host_removal"] is True


def test_a_port_of_its_own_for_checks() -> None:
    """An endpoint may be checked on another port than it serves on."""
    ((assigned,),) = (_files(Upstream("web", (Endpoint("10.20.0.5", 80, 8081),), CHECK))["eds-web.json"],)
    endpoint = assigned["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    assert endpoint["address"]["socket_address"]["port_value"] == 80
    assert endpoint["health_check_config"] == {"hostname": "10.20.0.5:8081", "port_value": 8081}


def test_no_answer_takes_as_long_as_it_likes() -> None:
    """Envoy would cut an answer after 15 s; what counts is silence."""
    (route,) = _routes(Route(Forward((("web", 1),))))
    assert route["route"] == {"cluster": "web", "timeout": "0s", "idle_timeout": "60s"}


def test_weights() -> None:
    """Several upstreams share requests by weight."""
    (route,) = _routes(Route(Forward((("blue", 9), ("green", 1)))))
    assert route["route"]["weighted_clusters"]["clusters"] == [
        {"name": "blue", "weight": 9},
        {"name": "green", "weight": 1},
    ]


@pytest.mark.parametrize(
    ("redirect", "said"),
    [
        (
            Redirect(permanent=True, scheme="https", port=443),
            {"response_code": "MOVED_PERMANENTLY", "scheme_redirect": "https", "port_redirect": 443},
        ),
        (
            Redirect(permanent=False, host="a.example.com", path="/new", query="a=1"),
            {"response_code": "FOUND", "host_redirect": "a.example.com", "path_redirect": "/new?a=1"},
        ),
        (Redirect(permanent=False, query=""), {"response_code": "FOUND", "strip_query": True}),
    ],
)
def test_redirects(redirect: Redirect, said: dict[str, object]) -> None:
    """What is not changed is not named."""
    (route,) = _routes(Route(redirect))
    assert route["redirect"] == said


def test_connections_are_passed_on() -> None:
    """A TCP listener hands a connection to its upstream, and has no routes."""
    files = make_resources(ProxyConfiguration((TcpListener(5432, "db"),), (Upstream("db"),)))
    assert "rds-5432.json" not in files
    (listener,) = files["lds.json"]
    (proxy,) = listener["filter_chains"][0]["filters"]
    assert proxy["typed_config"]["cluster"] == "db"
