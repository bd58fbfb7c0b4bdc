"""The operator's own kubeconfig: an entry for each cluster, beside whatever else is in the file."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import yaml

from drdrill.dataplane.kubernetes_authority import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.mirror.kubernetes.cluster import Cluster


def merge_kubeconfig(path: Path, cluster: Cluster) -> None:
    """Enter a cluster into a kubeconfig file as the context `NAME.REGION`, as its administrator.

    What others entered stays. The first context entered is the current one.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    content: dict[str, Any] = found or {"apiVersion": "v1", "kind": "Config"}
    context = f"{cluster.name}.{cluster.region}"
    user = f"administrator@{context}"
    administrator = cluster.plane.administrator
    server = {
        "server": cluster.plane.name.server,
        "certificate-authority-data": _encode(cluster.plane.authority.bundle.encode("ascii")),
    }
    shown = {
        "client-certificate-data": _encode(administrator.certificate.read_bytes()),
        "client-key-data": _encode(administrator.key.read_bytes()),
    }
    _enter(content, "clusters", context, "cluster", server)
    _enter(content, "users", user, "user", shown)
    _enter(content, "contexts", context, "context", {"cluster": context, "user": user})
    content.setdefault("current-context", context)
    write_secret(path, yaml.safe_dump(content, sort_keys=False))


def _enter(content: dict[str, Any], kind: str, name: str, field: str, value: dict[str, str]) -> None:
    others = [one for one in content.get(kind) or [] if one["name"] != name]
    content[kind] = [*others, {"name": name, field: value}]


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
