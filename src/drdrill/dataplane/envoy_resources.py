"""A proxy's configuration in Envoy's words: resources of its xDS API, v3, as JSON.

Written as JSON, as in YAML some names are booleans. Where Envoy's behaviour is another than an AWS load balancer's
unless it is told, the setting says so.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from drdrill.dataplane.envoy_configuration import CheckProtocol, HttpListener, TcpListener
from drdrill.dataplane.envoy_routes import make_routes, say_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.dataplane.envoy_configuration import (
        Certificate,
        Check,
        Endpoint,
        ProxyConfiguration,
        Upstream,
    )

    Resource = dict[str, Any]

CHECKS_LOG = "checks.log"
_TYPE = "type.googleapis.com/envoy."
_CONNECT_SECONDS = 10  # ALB User Guide, "Troubleshoot": 504 when no connection was made within 10 seconds
_CONNECT = f"{_CONNECT_SECONDS}s"
_RESOLVED_EVERY = "5s"
_USER_AGENT = "ELB-HealthChecker/2.0"
_ERROR_PAGE = (
    "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>"
    "\r\n</body>\r\n</html>\r\n"
)
# Envoy says 503 to all of them. Flags: UF no connection, UC it broke, UPE no HTTP, UH nobody healthy, NC no such
# upstream yet, UT and SI nothing came in time.
_ERRORS: tuple[tuple[tuple[str, ...], str, int, str], ...] = (
    (("UF",), "response.code_details.contains('timeout')", 504, "Gateway Time-out"),
    (("UF", "UC", "UPE", "UR", "LR"), "", 502, "Bad Gateway"),
    (("UT", "SI"), "", 504, "Gateway Time-out"),
    (("UH", "NC"), "", 503, "Service Temporarily Unavailable"),
)
_ANY_FLAG = tuple(dict.fromkeys(flag for flags, *_ in _ERRORS for flag in flags))
_JSON_ERROR = '{"message":"Service Unavailable"}'


def name_file(kind: str, name: str = "") -> str:
    """Return the name of the file with resources of a kind, of one upstream or listener where each has its own."""
    return f"{kind}-{re.sub('[^A-Za-z0-9]', '-', name)}.json" if name else f"{kind}.json"


def make_bootstrap(node: str, admin: str) -> Resource:
    """Return what a proxy starts with: where the rest stands, and the socket on which it can be asked."""
    return {
        "node": {"id": node, "cluster": "drdrill"},
        "admin": {"address": {"pipe": {"path": admin}}},
        "dynamic_resources": {
            "lds_config": _read_from(name_file("lds")),
            "cds_config": _read_from(name_file("cds")),
        },
    }


def make_resources(configuration: ProxyConfiguration) -> Mapping[str, Sequence[Resource]]:
    """Return the files of a configuration, in the order in which they are to be written: what is named exists."""
    files: dict[str, Sequence[Resource]] = {}
    for upstream in configuration.upstreams:
        if not upstream.server_name:
            files[name_file("eds", upstream.name)] = [_assign(upstream)]
    files[name_file("cds")] = [_make_cluster(one) for one in configuration.upstreams]
    for listener in configuration.listeners:
        if isinstance(listener, HttpListener):
            files[name_file("rds", str(listener.port))] = [make_routes(listener)]
    files[name_file("lds")] = [_make_listener(one) for one in configuration.listeners]
    return files


def _read_from(file: str) -> Resource:
    return {"path_config_source": {"path": f"./{file}"}, "resource_api_version": "V3"}


# -- upstreams ------------------------------------------------------------------------------------------------------


def _make_cluster(upstream: Upstream) -> Resource:
    cluster: Resource = {
        "@type": f"{_TYPE}config.cluster.v3.Cluster",
        "name": upstream.name,
        "connect_timeout": _CONNECT,
        "lb_policy": "LEAST_REQUEST" if upstream.least_requests else "ROUND_ROBIN",
        # An endpoint that is taken out gets nothing new at once, and ends what it is at.
        "ignore_health_on_host_removal": True,
        # All are used when none is healthy, and not before: 1 % of fewer than a hundred is none.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
    }
    if upstream.server_name:
        endpoint = {"address": _address(upstream.server_name, upstream.port)}
        cluster |= {
            "type": "STRICT_DNS",
            "dns_lookup_family": "V4_ONLY",
            "dns_refresh_rate": _RESOLVED_EVERY,
            "respect_dns_ttl": True,
            "load_assignment": {
                "cluster_name": upstream.name,
                "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
            },
        }
    else:
        cluster |= {
            "type": "EDS",
            "eds_cluster_config": {"eds_config": _read_from(name_file("eds", upstream.name))},
        }
    if upstream.tls:
        cluster["transport_socket"] = _encrypt(upstream)
    if upstream.check:
        cluster["health_checks"] = [_make_check(upstream.check)]
    return cluster


def _encrypt(upstream: Upstream) -> Resource:
    """Return a client's side of TLS. Without a name: as a load balancer, who does not ask whose certificate it is."""
    context: Resource = {"@type": f"{_TYPE}extensions.transport_sockets.tls.v3.UpstreamTlsContext"}
    if upstream.tls_name:
        kind = "IP_ADDRESS" if _is_address(upstream.tls_name) else "DNS"
        context["common_tls_context"] = {
            "validation_context": {
                "trusted_ca": {"inline_string": upstream.authorities},
                "match_typed_subject_alt_names": [
                    {"san_type": kind, "matcher": {"exact": upstream.tls_name}}
                ],
            }
        }
        if kind == "DNS":  # TLS has no address as a server's name
            context["sni"] = upstream.tls_name
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _assign(upstream: Upstream) -> Resource:
    endpoints = [{"endpoint": _make_endpoint(one)} for one in upstream.endpoints]
    return {
        "@type": f"{_TYPE}config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": upstream.name,
        "endpoints": [{"lb_endpoints": endpoints}] if endpoints else [],
    }


def _make_endpoint(endpoint: Endpoint) -> Resource:
    check: Resource = {"hostname": f"{endpoint.address}:{endpoint.check_port or endpoint.port}"}
    if endpoint.check_port is not None:
        check["port_value"] = endpoint.check_port
    return {"address": _address(endpoint.address, endpoint.port), "health_check_config": check}


def _make_check(check: Check) -> Resource:
    said: Resource = {
        "timeout": say_duration(check.timeout),
        "unhealthy_threshold": check.unhealthy_after,
        "healthy_threshold": check.healthy_after,
        "event_logger": [
            {
                "name": "envoy.health_check.event_sinks.file",
                "typed_config": {
                    "@type": f"{_TYPE}extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
                    "event_log_path": f"./{CHECKS_LOG}",
                },
            }
        ],
        "always_log_health_check_failures": True,
    }
    # Envoy checks an upstream without traffic once a minute, unless it is told.
    for name in ("interval", "no_traffic_interval", "no_traffic_healthy_interval"):
        said[name] = say_duration(check.interval)
    if check.protocol is CheckProtocol.TCP:
        return said | {"tcp_health_check": {}}
    agent = {
        "header": {"key": "user-agent", "value": _USER_AGENT},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return said | {
        "http_health_check": {
            "path": check.path,
            "expected_statuses": [{"start": first, "end": last + 1} for first, last in check.statuses],
            "request_headers_to_add": [agent],
        }
    }


def _address(address: str, port: int) -> Resource:
    return {"socket_address": {"address": address, "port_value": port}}


# -- listeners ------------------------------------------------------------------------------------------------------


def _make_listener(listener: HttpListener | TcpListener) -> Resource:
    if isinstance(listener, TcpListener):
        chain: Resource = {"filters": [_proxy_connections(listener)]}
    else:
        chain = {"filters": [_manage_requests(listener)]}
        if listener.certificates:
            chain["transport_socket"] = _present(listener.certificates)
    return {
        "@type": f"{_TYPE}config.listener.v3.Listener",
        "name": str(listener.port),
        "address": _address("0.0.0.0", listener.port),  # noqa: S104  (inside a host of the mirror)
        "filter_chains": [chain],
        "listener_filters": [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {
                    "@type": f"{_TYPE}extensions.filters.listener.tls_inspector.v3.TlsInspector"
                },
            }
        ]
        if "transport_socket" in chain
        else [],
    }


def _proxy_connections(listener: TcpListener) -> Resource:
    return {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": f"{_TYPE}extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": str(listener.port),
            "cluster": listener.upstream,
            "idle_timeout": say_duration(listener.idle_timeout),
        },
    }


def _present(certificates: Sequence[Certificate]) -> Resource:
    """Return a server's side of TLS; the certificate is chosen by the name that the client asks for."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TYPE}extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "full_scan_certs_on_sni_mismatch": False,
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [
                    {
                        "certificate_chain": {"inline_string": one.chain},
                        "private_key": {"inline_string": one.key},
                    }
                    for one in certificates
                ],
            },
        },
    }


def _manage_requests(listener: HttpListener) -> Resource:
    manager = {
        "@type": f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": str(listener.port),
        "use_remote_address": True,  # X-Forwarded-For
        "generate_request_id": False,
        "server_name": listener.server,
        "server_header_transformation": "APPEND_IF_ABSENT",
        "stream_idle_timeout": say_duration(listener.idle_timeout),
        "common_http_protocol_options": {"idle_timeout": say_duration(listener.idle_timeout)},
        "rds": {
            "route_config_name": str(listener.port),
            "config_source": _read_from(name_file("rds", str(listener.port))),
        },
        "local_reply_config": {"mappers": _map_errors(listener)},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": f"{_TYPE}extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            }
        ],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def _map_errors(listener: HttpListener) -> list[Resource]:
    if listener.says_json:
        wanted = {"response_flag_filter": {"flags": list(_ANY_FLAG)}}
        return [_map_error(wanted, 503, _JSON_ERROR, "application/json")]
    mappers = []
    for flags, only_if, status, reason in _ERRORS:
        page = _ERROR_PAGE.format(status=status, reason=reason)
        mappers.append(_map_error(_select_errors(flags, only_if), status, page, "text/html"))
    return mappers


def _select_errors(flags: Sequence[str], only_if: str) -> Resource:
    wanted: Resource = {"response_flag_filter": {"flags": list(flags)}}
    if not only_if:
        return wanted
    expression = {
        "name": "envoy.access_loggers.extension_filters.cel",
        "typed_config": {
            "@type": f"{_TYPE}extensions.access_loggers.filters.cel.v3.ExpressionFilter",
            "expression": only_if,
        },
    }
    return {"and_filter": {"filters": [wanted, {"extension_filter": expression}]}}


def _map_error(wanted: Resource, status: int, page: str, content_type: str) -> Resource:
    return {
        "filter": wanted,
        "status_code": status,
        "body_format_override": {
            "text_format_source": {"inline_string": page},
            "content_type": content_type,
        },
    }
