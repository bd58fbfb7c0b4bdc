"""By which name each region's own load balancer is found: asked of each region's own API."""

from __future__ import annotations

from typing import Any

from drdrill.plan import load_plan
from environments.embedded.find_ways import find_ways, read_regions
from tests.live.repository import SOURCE


class Balancers:
    """A region's API, which knows one load balancer."""

    def __init__(self, region: str) -> None:
        self._region = region

    def describe_load_balancers(self, **asked: Any) -> dict[str, Any]:
        """Tell of it."""
        assert asked == {"Names": ["meqenet"]}
        return {"LoadBalancers": [{"DNSName": f"meqenet-1.{self._region}.elb.amazonaws.com"}]}


def test_each_region_has_its_own() -> None:
    """Both regions of the plan are asked, and each says its own name."""
    regions = load_plan(SOURCE / "scenarios" / "plan.yaml").regions
    names = [regions.primary.name, regions.recovery.name]
    assert read_regions() == names
    assert find_ways(names, Balancers) == {name: f"meqenet-1.{name}.elb.amazonaws.com" for name in names}
