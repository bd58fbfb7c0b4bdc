"""The picture of a mirror: one part that cannot be seen hides no other, and what nobody knows is not said to be 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from drdrill.core.errors import ControlLostError
from drdrill.mirror.network import RegionLayout
from drdrill.mirror.picture import Lag, Member, Part, Picture
from drdrill.mirror.picture_parts import look_at_services

if TYPE_CHECKING:
    from drdrill.mirror.network import Network


@dataclass
class Host:
    """A host of a zone."""

    name: str
    zone: str
    powered: bool = True


class World:
    """A region with two zones and three hosts, one of them without power."""

    regions = (RegionLayout("here", ("here-a", "here-b")),)

    def hosts(self) -> tuple[Host, ...]:
        """Return all hosts."""
        return (Host("1", "here-a"), Host("2", "here-a", powered=False), Host("3", "internet"))

    def is_silent(self, region: str) -> bool:
        """Tell whether a region's APIs are silent."""
        return region == "here"


REPLICA = Member("2", "replica", "here-a", "2", "silent", healthy=False, lag=Lag("B", None))
CACHE = Part("cache", "sessions", "here", "modifying", healthy=False, members=(REPLICA,))


def _break() -> list[Part]:
    raise OSError("no such thing")


def test_a_part_that_breaks_hides_no_other() -> None:
    """What can be seen is in the picture, and what cannot is named with its reason."""
    drawn = Picture(cast("Network", World()), {"databases": _break, "caches": lambda: [CACHE]}).draw()
    assert drawn["problems"] == ["databases: OSError: no such thing"]
    (part,) = drawn["parts"]
    assert (part["name"], part["members"][0]["lag"]) == ("sessions", {"unit": "B", "value": None})


def test_regions_and_zones() -> None:
    """Every region says whether its APIs answer, every zone how many hosts it has and which have no power."""
    (region,) = Picture(cast("Network", World()), {}).draw()["regions"]
    assert region == {
        "name": "here",
        "apis_answer": False,
        "zones": [
            {"name": "here-a", "hosts": 2, "without_power": ["2"]},
            {"name": "here-b", "hosts": 0, "without_power": []},
        ],
    }


class Api:
    """A cluster's API with two deployments, of which one lacks a pod; `lost`: it does not answer."""

    region = "here"

    def __init__(self, *, lost: bool = False) -> None:
        self.lost = lost

    def client(self) -> Api:
        """Return who asks it."""
        return self

    def read(self, path: str) -> dict[str, Any]:
        """Return all deployments."""
        assert path == "/apis/apps/v1/deployments"
        if self.lost:
            raise ControlLostError("nobody answers")
        return {"items": [_deployed("auth", 3, {"readyReplicas": 3}), _deployed("users", 3, {})]}


def _deployed(name: str, replicas: int, status: dict[str, int]) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"replicas": replicas}, "status": status}


def test_services_say_how_many_pods_are_ready() -> None:
    """Of every cluster that answers; one that does not hides no other's."""

    class Clusters:
        def all(self) -> tuple[Api, ...]:
            return (Api(lost=True), Api())

    seen = look_at_services(cast("Any", Clusters()))
    assert [(one.name, one.status, one.healthy) for one in seen] == [
        ("shop/auth", "3 of 3 ready", True),
        ("shop/users", "0 of 3 ready", False),
    ]
