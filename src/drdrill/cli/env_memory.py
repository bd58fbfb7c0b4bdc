"""How much memory the parts of a mirror take, in words: what runs on their hosts, and what lies on their disks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_FINE = 10  # with one decimal place below


def add_memory(parts: Sequence[dict[str, Any]], memory: Mapping[str, Any]) -> None:
    """Note in every part and member of a picture what the hosts have that are its own; None for what has none."""
    for part in parts:
        hosts = list(part["hosts"])
        for member in part["members"]:
            member["memory"] = _sum_hosts([member["host"]], memory)
            hosts.append(member["host"])
        part["memory"] = _sum_hosts(dict.fromkeys(hosts), memory)


def say_memory(parts: Sequence[Mapping[str, Any]], memory: Mapping[str, Any]) -> str:
    """Return the whole in words, by kinds of parts; what is no part's is the mirror's own."""
    whole = _sum(memory["own"]) + sum(map(_sum, memory["hosts"].values()))
    kinds: dict[str, int] = {}
    for part in parts:
        if part["memory"] is not None:
            kinds[part["kind"]] = kinds.get(part["kind"], 0) + part["memory"]
    shares = [f"{kind}s {say_bytes(size)}" for kind, size in kinds.items()]
    rest = whole - sum(kinds.values())
    return f"{say_bytes(whole)} of memory: {', '.join([*shares, f'the mirror itself {say_bytes(rest)}'])}"


def say_bytes(size: float) -> str:
    """Return a size in words, with one decimal place where it is small."""
    for unit, name in _UNITS:
        if size >= unit:
            value = size / unit
            return f"{value:.1f} {name}" if value < _FINE else f"{value:.0f} {name}"
    return f"{size:g} B"


def _sum_hosts(names: Iterable[str | None], memory: Mapping[str, Any]) -> int | None:
    there = [memory["hosts"][name] for name in names if name in memory["hosts"]]
    return sum(map(_sum, there)) if there else None


def _sum(of: Mapping[str, int]) -> int:
    return of["processes"] + of["disks"]
