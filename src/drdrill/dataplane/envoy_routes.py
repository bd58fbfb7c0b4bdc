"""What a proxy does with requests, in Envoy's words: route configurations of its xDS API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.dataplane.envoy_configuration import Answer, Forward, Redirect

if TYPE_CHECKING:
    from datetime import timedelta

    from drdrill.dataplane.envoy_configuration import HttpListener, Route

    Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy."


def say_duration(duration: timedelta) -> str:
    """Return a duration as Envoy reads it."""
    return f"{duration.total_seconds():g}s"


def make_routes(listener: HttpListener) -> Resource:
    """Return the route configuration of a listener: the first route that fits is taken."""
    port = {
        "header": {"key": "x-forwarded-port", "value": str(listener.port)},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return {
        "@type": f"{_TYPE}config.route.v3.RouteConfiguration",
        "name": str(listener.port),
        "request_headers_to_add": [port],
        "request_headers_to_remove": ["x-envoy-external-address", "x-envoy-internal"],
        "virtual_hosts": [
            {
                "name": "all",
                "domains": ["*"],
                "routes": [_make_route(one, listener) for one in listener.routes],
            }
        ],
    }


def _make_route(route: Route, listener: HttpListener) -> Resource:
    patterns = [*route.headers]
    if route.host:
        patterns.append((":authority", route.host))
    if route.method:
        patterns.append((":method", route.method))
    match: Resource = {"safe_regex": {"regex": route.path}} if route.path else {"prefix": "/"}
    if patterns:
        match["headers"] = [
            {"name": name, "string_match": {"safe_regex": {"regex": pattern}}} for name, pattern in patterns
        ]
    match route.action:
        case Forward():
            return {"match": match, "route": _forward(route.action, listener)}
        case Redirect():
            return {"match": match, "redirect": _redirect(route.action)}
        case Answer():
            return {"match": match, **_answer(route.action)}


def _forward(action: Forward, listener: HttpListener) -> Resource:
    # However long an answer is: what counts is that nothing is heard for so long.
    said: Resource = {
        "timeout": say_duration(action.timeout) if action.timeout else "0s",
        "idle_timeout": say_duration(listener.idle_timeout),
    }
    if len(action.weights) == 1:
        said["cluster"] = action.weights[0][0]
    else:
        clusters = [{"name": name, "weight": weight} for name, weight in action.weights]
        said["weighted_clusters"] = {"clusters": clusters}
    if action.host:
        said["host_rewrite_literal"] = action.host
    if action.path:
        pattern, replacement = action.path
        said["regex_rewrite"] = {"pattern": {"regex": pattern}, "substitution": replacement}
    return said


def _redirect(action: Redirect) -> Resource:
    said: Resource = {"response_code": "MOVED_PERMANENTLY" if action.permanent else "FOUND"}
    if action.scheme:
        said["scheme_redirect"] = action.scheme
    if action.host:
        said["host_redirect"] = action.host
    if action.port:
        said["port_redirect"] = action.port
    if action.path:
        said["path_redirect"] = action.path + (f"?{action.query}" if action.query else "")
    if action.query == "":
        said["strip_query"] = True
    return said


def _answer(action: Answer) -> Resource:
    said: Resource = {"direct_response": {"status": action.status}}
    if action.body:
        said["direct_response"]["body"] = {"inline_string": action.body}
    if action.content_type:
        header = {"key": "content-type", "value": action.content_type}
        said["response_headers_to_add"] = [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]
    return said
