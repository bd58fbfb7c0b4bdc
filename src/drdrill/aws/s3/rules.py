"""What the rules of a replication configuration say of one object.

Source: API reference, ReplicationRule: of the enabled rules whose filter an object passes, the one with the highest
priority counts for each destination.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `kms_key`: what replicas of objects under a KMS key are encrypted with; None: those are left out."""

    identifier: str
    destination: str
    destination_region: str
    enabled: bool = True
    priority: int = 0
    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    delete_markers: bool = False
    metrics: bool = False
    storage_class: str | None = None
    kms_key: str | None = None

    def takes_key(self, key: str) -> bool:
        """Tell whether the rule may take an object of this name."""
        return self.enabled and key.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The rules of a source bucket, and where it is; `document`: as they were said."""

    bucket: str
    region: str
    rules: tuple[Rule, ...]
    document: bytes

    def needs_tags(self, key: str) -> bool:
        """Tell whether an object's tags have a say in who takes it."""
        return any(rule.tags for rule in self.rules if rule.takes_key(key))

    def choose(self, key: str, tags: Mapping[str, str], *, kms: bool) -> tuple[Rule, ...]:
        """Return the rules that take a new object: one for each destination at most."""
        taking = [
            rule
            for rule in self.rules
            if rule.takes_key(key)
            and all(tags.get(name) == value for name, value in rule.tags)
            and (rule.kms_key is not None or not kms)
        ]
        return _prefer(taking)

    def choose_possible(self, key: str, *, kms: bool) -> tuple[Rule, ...]:
        """Return the rules that may take a new object whose tags nobody knows."""
        return tuple(
            rule for rule in self.rules if rule.takes_key(key) and (rule.kms_key is not None or not kms)
        )

    def choose_for_marker(self, key: str) -> tuple[Rule, ...]:
        """Return the rules that take a new delete marker."""
        return _prefer([rule for rule in self.rules if rule.takes_key(key) and rule.delete_markers])


def _prefer(rules: list[Rule]) -> tuple[Rule, ...]:
    by_destination: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda one: one.priority):
        by_destination[rule.destination] = rule
    return tuple(by_destination.values())
