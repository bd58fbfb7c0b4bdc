"""What observers make of looks: a fault is there only when nothing else explains what is seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.faults.catalogue import FaultKind
from drdrill.mirror.directory import MirrorDirectory
from drdrill.mirror.fault_injectors import make_injectors
from drdrill.mirror.fault_observers import OBSERVERS
from drdrill.mirror.faults import EmbeddedFaults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOSTS = (
    {"host": "db-1", "zone": "a", "address": "10.0.0.1"},
    {"host": "db-2", "zone": "b", "address": "10.0.1.1"},
)
ALIVE = {"reachable": True, "answered": True, "error": None}
HANGING = {"reachable": True, "answered": False, "error": None}
REFUSING = {"reachable": False, "answered": False, "error": "[Errno 111] Connection refused"}
SILENT = {"reachable": False, "answered": False, "error": "timed out"}
FULL = {"free_bytes": 0, "takes_a_file": False}
SPACE = {"free_bytes": 1 << 30, "takes_a_file": True}


@dataclass
class Eyes:
    """Sees what a test says, everywhere but where it says otherwise."""

    look: Mapping[str, Any] = field(default_factory=lambda: ALIVE)
    elsewhere: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    in_the_zone: Mapping[str, Any] = field(default_factory=lambda: ALIVE)
    disk: Mapping[str, Any] = field(default_factory=lambda: SPACE)
    outside: str = "a test"

    def from_outside(self, address: str) -> Mapping[str, Any]:
        """Look."""
        return self.elsewhere.get(address, self.look)

    def from_zone(self, zone: str, address: str) -> Mapping[str, Any]:
        """Look from inside."""
        assert {"zone": zone, "address": address}.items() <= HOSTS[0].items()
        return self.in_the_zone

    def at_disk(self, host: str) -> Mapping[str, Any]:
        """Look at the disk."""
        assert host == HOSTS[0]["host"]
        return self.disk


@pytest.mark.parametrize("kind", OBSERVERS)
def test_every_kind_can_be_broken_and_seen(kind: str) -> None:
    """The mirror has an injector and an observer for each kind that hits hosts."""
    injectors = make_injectors(None, list)  # type: ignore[arg-type] # nothing is broken
    assert kind in injectors
    assert set(injectors) == set(OBSERVERS)


def test_every_kind_of_the_catalogue_is_of_one_family(tmp_path: Path) -> None:
    """The mirror offers each kind, and none that the catalogue does not have."""
    offered = EmbeddedFaults(None, MirrorDirectory(tmp_path)).kinds
    assert offered == {*FaultKind}
    assert all(kind.description.endswith(".") for kind in FaultKind)


@pytest.mark.parametrize("kind", OBSERVERS)
def test_what_is_whole_is_not_broken(kind: FaultKind) -> None:
    """Where everything answers no fault is seen, and everything is healed."""
    assert OBSERVERS[kind].observe_effect(Eyes(), HOSTS[:1])["effective"] is False
    assert OBSERVERS[kind].observe_healed(Eyes(), HOSTS[:1])["healed"] is True


@pytest.mark.parametrize(
    ("kind", "eyes"),
    [
        ("host_power_loss", Eyes(SILENT)),
        ("all_hosts_power_loss", Eyes(SILENT)),
        ("process_kill", Eyes(REFUSING)),
        ("process_hang", Eyes(HANGING)),
        ("zone_partition", Eyes(SILENT)),
        ("zone_partition", Eyes(SILENT, in_the_zone=REFUSING)),
        ("disk_full", Eyes(disk=FULL)),
    ],
)
def test_what_is_broken_is_seen(kind: str, eyes: Eyes) -> None:
    """Each kind shows in its own way, and whoever looked is named."""
    seen = OBSERVERS[kind].observe_effect(eyes, HOSTS[:1])
    assert seen["effective"] is True
    assert seen["observer"]


@pytest.mark.parametrize(
    ("kind", "eyes"),
    [
        ("host_power_loss", Eyes(REFUSING)),
        ("host_power_loss", Eyes(HANGING)),
        ("process_kill", Eyes(SILENT)),
        ("process_kill", Eyes(HANGING)),
        ("process_hang", Eyes(REFUSING)),
        ("process_hang", Eyes(SILENT)),
        ("zone_partition", Eyes(SILENT, in_the_zone=SILENT)),
        ("zone_partition", Eyes(ALIVE, in_the_zone=ALIVE)),
    ],
)
def test_another_fault_is_no_proof(kind: str, eyes: Eyes) -> None:
    """What shows in another way was not this fault: a lost host is no partition, a refusal no hang."""
    assert OBSERVERS[kind].observe_effect(eyes, HOSTS[:1])["effective"] is False


def test_one_host_of_two_is_not_both() -> None:
    """The loss of all hosts shows only when none of them answers, and is healed only when all do."""
    observer, eyes = OBSERVERS["all_hosts_power_loss"], Eyes(SILENT, elsewhere={"10.0.1.1": REFUSING})
    assert observer.observe_effect(eyes, HOSTS)["effective"] is False
    assert observer.observe_healed(eyes, HOSTS)["healed"] is False


@pytest.mark.parametrize(
    ("kind", "eyes", "healed"),
    [
        ("host_power_loss", Eyes(REFUSING), True),
        ("host_power_loss", Eyes(SILENT), False),
        ("process_hang", Eyes(HANGING), False),
        ("process_hang", Eyes(REFUSING), True),
        ("zone_partition", Eyes(SILENT), False),
        ("zone_partition", Eyes(REFUSING), True),
        ("disk_full", Eyes(disk=FULL), False),
    ],
)
def test_what_is_healed(kind: str, eyes: Eyes, healed: bool) -> None:
    """A host whose server was replaced meanwhile is whole, though it refuses; silence never is."""
    assert OBSERVERS[kind].observe_healed(eyes, HOSTS[:1])["healed"] is healed
