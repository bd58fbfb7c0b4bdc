"""`drdrill env status`: the picture at every width of a terminal, with nothing that only a colour says."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from drdrill.cli.env_memory import add_memory
from drdrill.cli.env_status import draw, say_lag

MEMBERS = [
    {"name": "sessions-001", "role": "primary", "zone": "eu-west-1a", "host": "sessions-001", "state": "available",
     "healthy": True, "address": "10.20.0.11", "lag": None, "memory": 20 << 20},
    {"name": "sessions-002", "role": "replica", "zone": "eu-west-1b", "host": "sessions-002", "state": "silent",
     "healthy": False, "address": "10.20.1.11", "lag": {"unit": "B", "value": None}, "memory": 0},
]  # fmt: skip
MIRROR: dict[str, Any] = {
    "name": "a",
    "owner_pid": None,
    "hosts": [{"name": "sessions-002", "powered": False}, {"name": "sessions-001", "powered": True}],
    "stores": [],
    "regions": [
        {
            "name": "eu-west-1",
            "apis_answer": False,
            "zones": [
                {"name": "eu-west-1a", "hosts": 1, "without_power": []},
                {"name": "eu-west-1b", "hosts": 1, "without_power": ["sessions-002"]},
            ],
        }
    ],
    "parts": [
        {"kind": "cache", "name": "sessions", "region": "eu-west-1", "status": "modifying", "healthy": False,
         "endpoint": "sessions.d763c2.ng.0001.euw1.cache.amazonaws.com", "members": MEMBERS,
         "memory": 20 << 20}
    ],
    "memory": {
        "hosts": {"sessions-001": {"processes": 15 << 20, "disks": 5 << 20}, "dns": {"processes": 1 << 20, "disks": 0}},
        "own": {"processes": 99 << 20, "disks": 0},
    },
    "faults": [{"kind": "host_power_loss", "store": "sessions", "state": "active"}],
    "unseen": ["clusters: no answer within 3 s"],
    "problem": None,
}  # fmt: skip


def _draw(width: int, **changes: object) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True, highlight=False)
    console.print(draw([{**MIRROR, **changes}]))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_fits(width: int) -> None:
    """No line is longer than the terminal, and at every width it says who has which role, where, and how far behind."""
    said = _draw(width)
    assert max(len(line) for line in said.splitlines()) <= width
    for word in ("sessions-002", "primary", "replica", "silent", "unknown", "SILENT", "WITHOUT POWER", "!!"):
        assert word in said, word


def test_more_room_shows_more() -> None:
    """Addresses come with a wider terminal, endpoints with a still wider one."""
    assert "10.20.0.11" not in _draw(80)
    assert "10.20.0.11" in _draw(120)
    endpoint = "sessions.d763c2.ng.0001.euw1.cache.amazonaws.com"
    assert endpoint not in _draw(120)
    assert endpoint in _draw(140)


def test_what_is_broken_and_what_is_not_seen() -> None:
    """Faults are named with what mends them, and parts that did not answer with the reason."""
    said = _draw(120)
    assert "fault: host_power_loss in sessions is active. `drdrill env heal` mends it." in said
    assert "not seen: clusters: no answer within 3 s" in said


def test_a_mirror_that_ended() -> None:
    """Of a mirror whose world has ended only that is said."""
    said = _draw(200, problem="its world has ended.")
    assert said.splitlines() == ["a: stands by itself", "  its world has ended."]


@pytest.mark.parametrize(
    ("lag", "said"),
    [
        (None, ""),
        ({"unit": "B", "value": None}, "unknown"),
        ({"unit": "s", "value": None}, "unknown"),
        ({"unit": "B", "value": 0}, "0 B"),
        ({"unit": "B", "value": 1536}, "1.5 KiB"),
        ({"unit": "s", "value": 2.04}, "2.0 s"),
        ({"unit": "objects", "value": 12}, "12 objects"),
    ],
)
def test_a_lag_in_words(lag: dict[str, Any] | None, said: str) -> None:
    """A lag that nobody knows is unknown, and never 0; who follows nobody has none."""
    assert say_lag(lag) == said


def test_memory_adds_up() -> None:
    """The whole is that of all hosts and the mirror's own; a part's is its hosts', and the rest is no part's."""
    assert "120 MiB of memory: caches 20 MiB, the mirror itself 100 MiB" in _draw(100)
    parts: list[dict[str, Any]] = [
        {"kind": "cluster", "hosts": ["plane"], "members": [{"host": "node"}, {"host": None}]}
    ]
    sizes = {"plane": {"processes": 3, "disks": 1}, "node": {"processes": 2, "disks": 0}}
    add_memory(parts, {"hosts": sizes})
    assert parts[0]["memory"] == 6
    assert [member["memory"] for member in parts[0]["members"]] == [2, None]
