"""Which services an overlay of the manifests brings, and how many pods each is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from failover._places import SYSTEM

if TYPE_CHECKING:
    from pathlib import Path

OVERLAYS = ("recovery-critical", "recovery-production")
_MANIFESTS = SYSTEM / "manifests"


def read_wanted(overlay: str, manifests: Path = _MANIFESTS) -> dict[str, int]:
    """Return how many pods each service is to have, by its name, which is its target group's, too."""
    component = _read(manifests / "components" / "production" / "kustomization.yaml")[0]
    counts = {one["name"]: int(one["count"]) for one in component["replicas"]}
    tiers = {
        one["metadata"]["name"]: one["metadata"]["labels"]["tier"]
        for file in sorted((manifests / "base").glob("*.yaml"))
        for one in _read(file)
        if one["kind"] == "Deployment" and "labels" in one["metadata"]
    }
    return {
        name: counts[name] for name, tier in tiers.items() if tier == "critical" or overlay != OVERLAYS[0]
    }


def _read(file: Path) -> list[Any]:
    return [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one]
