"""What runs in the contract's clusters: a small server that hangs or ends when it is asked to, and other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# One thread, so that while it is busy with one request, it answers no other one: a probe's neither.
SERVER = """\
import http.server, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/hang": time.sleep(3600)
        if self.path == "/end": print("asked to end", flush=True); os._exit(7)
        self.send_response(200); self.end_headers(); self.wfile.write(b"served")
    def log_message(self, *words): pass
print("serves", flush=True)
http.server.HTTPServer(("", 8080), Handler).serve_forever()
"""
SPREAD = {
    "maxSkew": 1,
    "topologyKey": "topology.kubernetes.io/zone",
    "whenUnsatisfiable": "DoNotSchedule",
}


def container(image: str, program: str = SERVER, **fields: Any) -> dict[str, Any]:
    """Return a container that runs a program of Python; one that serves is ready when it does."""
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    return {
        "name": "main",
        "image": image,
        "command": ["python3", "-c", program],
        **({"readinessProbe": probe} if program == SERVER else {}),
        **fields,
    }


def pod_spec(app: str, *containers: Mapping[str, Any], **fields: object) -> dict[str, Any]:
    """Return what a pod is; it is ended after a second, and of several no zone has two more than another."""
    return {
        "terminationGracePeriodSeconds": 1,
        "topologySpreadConstraints": [{**SPREAD, "labelSelector": {"matchLabels": {"app": app}}}],
        "containers": list(containers),
        **fields,
    }


def pod(app: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pod of its own."""
    metadata = {"name": app, "labels": {"app": app}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def deployment(app: str, replicas: int, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment."""
    labels = {"app": app}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": app, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def disruption_budget(app: str, available: int) -> dict[str, Any]:
    """Return a budget: so many pods of an app have to be available while nodes are emptied."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": app},
        "spec": {"minAvailable": available, "selector": {"matchLabels": {"app": app}}},
    }


def service(app: str) -> dict[str, Any]:
    """Return a service in front of an app."""
    ports: Sequence[Mapping[str, int]] = [{"port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": app},
        "spec": {"selector": {"app": app}, "ports": ports},
    }
