"""What API Gateway knows of HTTP APIs: values, replaced as a whole when something changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

Pairs = tuple[tuple[str, str], ...]
DEFAULT = "$default"  # of routes: whatever no other one fits; of stages: the one without a path of its own


@dataclass(frozen=True, slots=True)
class Api:
    """An HTTP API."""

    identifier: str
    name: str
    created_at: datetime
    description: str = ""
    version: str = ""
    endpoint_disabled: bool = False
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class Integration:
    """Where requests go: a URL on the internet, or a load balancer's listener (by its ARN) through a VPC link."""

    identifier: str
    api: str
    uri: str
    method: str
    link: str = ""
    timeout_ms: int = 30000
    description: str = ""
    tls_name: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Which requests an integration gets: `GET /orders/{id}`, `ANY /{proxy+}` or `$default`."""

    identifier: str
    api: str
    key: str
    integration: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What an API was at one moment."""

    identifier: str
    api: str
    created_at: datetime
    routes: tuple[Route, ...]
    integrations: tuple[Integration, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A name under which an API can be called; one that deploys by itself is always what the API is."""

    name: str
    api: str
    created_at: datetime
    auto_deploy: bool = False
    deployment: str = ""
    description: str = ""
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class VpcLink:
    """A way into a VPC."""

    identifier: str
    name: str
    created_at: datetime
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class Domain:
    """A name of the customer's own; `target` is the one of ours that it is to lead to."""

    name: str
    target: str
    certificate: str
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which stage of which API a domain leads to, below a path."""

    identifier: str
    domain: str
    api: str
    stage: str
    key: str = ""
