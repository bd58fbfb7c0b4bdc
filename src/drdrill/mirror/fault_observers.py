"""Who looks whether a fault is there, and whether it is gone: one class a kind, never by the injector's means.

`Eyes` look through programs on other machines of the mirror; what an observer makes of that is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Look = Mapping[str, Any]
    Host = Mapping[str, Any]  # `host`, `zone`, `address`


class Eyes(Protocol):
    """Where an observer looks from. `outside`: in words, where `from_outside` looks from."""

    outside: str

    def from_outside(self, address: str) -> Look:
        """Look at a server from where users are, or operators."""
        ...

    def from_zone(self, zone: str, address: str) -> Look:
        """Look at a server from another machine in a zone."""
        ...

    def at_disk(self, host: str) -> Look:
        """Let a host's own programs look at its disk."""
        ...


class Observer(Protocol):
    """Looks for one kind of fault; a reading has `effective`, or `healed`."""

    def observe_effect(self, eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
        """Look whether the fault shows on these hosts."""
        ...

    def observe_healed(self, eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
        """Look whether these hosts are whole again."""
        ...


class _FromOutside:
    """What the observers have in common that look at the servers' addresses from outside."""

    def observe_effect(self, eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
        """Look at every host."""
        looks = [eyes.from_outside(host["address"]) for host in hosts]
        effective = all(self._is_broken(look) for look in looks)
        return {"effective": effective, "observer": f"TCP connection from {eyes.outside}", "looks": looks}

    def observe_healed(self, eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
        """Look at every host."""
        looks = [eyes.from_outside(host["address"]) for host in hosts]
        healed = all(self._is_whole(look) for look in looks)
        return {"healed": healed, "observer": f"TCP connection from {eyes.outside}", "looks": looks}

    def _is_broken(self, look: Look) -> bool:
        raise NotImplementedError

    def _is_whole(self, look: Look) -> bool:
        return answers(look)


class Silence(_FromOutside):
    """Hosts that lost their power answer nothing at all, not even by a refusal."""

    def _is_broken(self, look: Look) -> bool:
        return not answers(look)


class Refusal(_FromOutside):
    """Where a server's processes are gone, its host refuses connections."""

    def _is_broken(self, look: Look) -> bool:
        return _refuses(look)


class NoWord(_FromOutside):
    """A server that hangs: its host takes a connection in, and nobody says a word."""

    def _is_broken(self, look: Look) -> bool:
        return bool(look["reachable"]) and not look["answered"]

    def _is_whole(self, look: Look) -> bool:
        # A refusal: the server was replaced meanwhile, and nothing that hangs is left on the host.
        return bool(look["answered"]) or _refuses(look)


class TwoSides(_FromOutside):
    """A zone partitioned away: silent for those outside, while a machine in the zone hears the host."""

    def observe_effect(self, eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
        """Look at every host from both sides."""
        inside = [eyes.from_zone(host["zone"], host["address"]) for host in hosts]
        outside = [eyes.from_outside(host["address"]) for host in hosts]
        return {
            "effective": all(map(answers, inside)) and not any(map(answers, outside)),
            "observer": f"TCP connections from {eyes.outside} and from a machine in the zone",
            "looks": outside,
            "looks_in_the_zone": inside,
        }


class NoSpace:
    """A full disk: `df` on the host says so, and a program there cannot write a file."""

    def observe_effect(self, eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
        """Look at every disk."""
        looks = [eyes.at_disk(host["host"]) for host in hosts]
        full = all(not look["takes_a_file"] for look in looks)
        return {"effective": full, "observer": "df and a program that writes, on the host", "looks": looks}

    def observe_healed(self, eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
        """Look at every disk."""
        looks = [eyes.at_disk(host["host"]) for host in hosts]
        free = all(look["takes_a_file"] for look in looks)
        return {"healed": free, "observer": "df and a program that writes, on the host", "looks": looks}


OBSERVERS: Mapping[str, Observer] = {
    "host_power_loss": Silence(),
    "all_hosts_power_loss": Silence(),
    "process_kill": Refusal(),
    "process_hang": NoWord(),
    "zone_partition": TwoSides(),
    "disk_full": NoSpace(),
}


def answers(look: Look) -> bool:
    """Tell whether somebody is there: a refusal is an answer."""
    return bool(look["reachable"]) or _refuses(look)


def _refuses(look: Look) -> bool:
    return "refused" in str(look["error"]).lower()
