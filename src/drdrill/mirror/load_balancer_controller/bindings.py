"""Which targets a binding wants: the ready endpoints of its service, at the port that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SERVICE_LABEL = "kubernetes.io/service-name"


class BindingError(Exception):
    """A binding that means nothing, with what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A pod's address and port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Binding:
    """A target group, by its name or ARN, and the service whose pods are its targets."""

    group: str
    namespace: str
    service: str
    port: int | str


def read_binding(described: Mapping[str, Any]) -> Binding:
    """Return what a `TargetGroupBinding` says; raises `BindingError`."""
    spec, metadata = described["spec"], described["metadata"]
    group = spec.get("targetGroupARN") or spec.get("targetGroupName")
    if not group:
        raise BindingError("it names no target group")
    reference = spec["serviceRef"]
    return Binding(group, metadata["namespace"], reference["name"], reference["port"])


def find_targets(
    binding: Binding,
    services: Mapping[tuple[str, str], Mapping[str, Any]],
    slices: Iterable[Mapping[str, Any]],
) -> frozenset[Target]:
    """Return the targets that a binding wants now; raises `BindingError` where its service has no such port."""
    service = services.get((binding.namespace, binding.service))
    if service is None:
        raise BindingError(f"there is no service {binding.namespace}/{binding.service}")
    ports = service["spec"].get("ports", [])
    chosen = next((one for one in ports if binding.port in (one.get("name"), one["port"])), None)
    if chosen is None:
        raise BindingError(f"the service {binding.namespace}/{binding.service} has no port {binding.port}")
    name = chosen.get("name", "")
    return frozenset(
        Target(address, port["port"])
        for one in slices
        if one["metadata"].get("namespace") == binding.namespace
        and one["metadata"].get("labels", {}).get(_SERVICE_LABEL) == binding.service
        for port in one.get("ports") or ()
        if (port.get("name") or "") == name
        for endpoint in one.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready") is not False
        for address in endpoint["addresses"]
    )
