"""Where the system stands: its two regions and its names, as Terraform has them, and clients that reach them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

SYSTEM = Path(__file__).resolve().parents[1] / "system"
DATABASES = ("payments", "users")
INTERNAL = "meqenet.internal"
LOAD_BALANCER = "meqenet"
STATUS_BUCKET = "meqenet-status"  # of the recovery region: everybody may read it
WITNESS = "us-east-1"  # a region that is neither of the two
CLUSTER, NODEGROUP = "meqenet", "services"

# An unanswered call is tried again soon: the defaults of the SDK wait for a minute.
CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 5})
# The region that is lost: it answers soon, or is taken not to.
_LOST = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 1})


@dataclass(frozen=True, slots=True)
class Places:
    """The regions by their roles, and the public domain."""

    primary: str
    recovery: str
    domain: str

    @property
    def public_name(self) -> str:
        """The name by which users come in."""
        return f"api.{self.domain}"

    def edge_name(self, role: str) -> str:
        """Return the name of a region's own load balancer, whichever region serves."""
        return f"api.{role}.{self.domain}"


def read_places(settings: Path = SYSTEM / "terraform" / "settings.json") -> Places:
    """Read them from Terraform's settings."""
    said = json.loads(settings.read_text(encoding="utf-8"))
    regions = said["regions"]
    return Places(regions["primary"]["region"], regions["recovery"]["region"], said["domain"])


def reach(service: str) -> Any:
    """Return a client of a service of the recovery region, or of a global one."""
    return boto3.client(service, read_places().recovery, config=CONFIG)


def reach_in(service: str, region: str, **more: Any) -> Any:
    """Return a client of a service of a region; `more` configures it, too."""
    return boto3.client(service, region, config=CONFIG.merge(Config(**more)))


def reach_lost(service: str) -> Any:
    """Return a client of a service of the primary region, which gives up after one attempt."""
    return reach_briefly(service, read_places().primary)


def reach_briefly(service: str, region: str) -> Any:
    """Return a client of a service of a region that may not answer, which gives up after one attempt."""
    return boto3.client(service, region, config=_LOST)
