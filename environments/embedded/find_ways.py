"""Print by which name each region's own load balancer is found: a JSON object of region and name.

    python -m environments.embedded.find_ways

Runs on the operator's host, before anything is broken: AWS's API of both regions is asked.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SETTINGS = Path(__file__).resolve().parents[2] / "system" / "terraform" / "settings.json"
_LOAD_BALANCER = "meqenet"  # the same in both regions (system/terraform/platform)
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})


def read_regions(settings: Path = _SETTINGS) -> list[str]:
    """Return the names of both regions, as Terraform has them."""
    regions = json.loads(settings.read_text(encoding="utf-8"))["regions"]
    return [regions[role]["region"] for role in ("primary", "recovery")]


def find_ways(regions: Iterable[str], reach: Callable[[str], Any]) -> dict[str, str]:
    """Return the name of each region's load balancer, by region."""
    ways = {}
    for region in regions:
        (balancer,) = reach(region).describe_load_balancers(Names=[_LOAD_BALANCER])["LoadBalancers"]
        ways[region] = balancer["DNSName"]
    return ways


def main() -> int:
    """Find and print them."""
    ways = find_ways(read_regions(), lambda region: boto3.client("elbv2", region, config=_CONFIG))
    sys.stdout.write(f"{json.dumps(ways)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
