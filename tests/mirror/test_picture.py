"""The picture of a mirror: one part that cannot be seen hides no other, and what nobody knows is not said to be 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from drdrill.mirror.network import RegionLayout
from drdrill.mirror.picture import Lag, Member, Part, Picture

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
