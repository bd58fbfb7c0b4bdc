"""The servers of a new instance, on machines that are lost while they are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.rds.first_servers import FirstServers
from drdrill.aws.rds.restore_point import RestoreFailedError
from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.standby import StandbyKeeper

ZONES = ("a", "b", "c")


@dataclass
class Server:
    """A server on a machine in a zone."""

    zone: str
    host: SimpleNamespace = field(init=False)

    def __post_init__(self) -> None:
        self.host = SimpleNamespace(zone=self.zone, powered=True)


class Subject:
    """An instance, the keeper of its standby, and what goes wrong: how often filling and the standby fail."""

    def __init__(
        self, *, fills: int = 0, standbys: int = 0, with_primary: bool = False, unusable: bool = False
    ) -> None:
        self.record = SimpleNamespace(zone=None, zone_named=False, multi_az=True)
        self.zones = ZONES
        self.primary: Server | None = None
        self.failing_fills, self.failing_standbys = fills, standbys
        self.with_primary, self.unusable = with_primary, unusable
        self.did: list[str] = []
        self.first = FirstServers(
            cast("Instance", self), cast("StandbyKeeper", self),
            fill=cast("Any", self.fill), serve_from=cast("Any", self.serve_from), await_streaming=None,
        )  # fmt: skip

    def new_server(self, zone: str) -> Server:
        """Return one on a new machine."""
        self.did.append(f"machine in {zone}")
        return Server(zone)

    def fill(self, server: Server) -> None:
        """Fill it, or lose it."""
        if self.unusable:
            raise RestoreFailedError("the backup is damaged")
        if self.failing_fills:
            self.failing_fills -= 1
            server.host.powered = False
            raise EnvironmentFailedError("lost")

    def serve_from(self, server: Server) -> None:
        """Serve."""
        self.primary = server

    def create(self, zone: str, primary: Server) -> None:
        """Make the standby, or lose its machine, or the primary's."""
        self.did.append(f"standby in {zone}")
        if self.failing_standbys:
            self.failing_standbys -= 1
            primary.host.powered = not self.with_primary
            raise EnvironmentFailedError("lost")

    def abandon(self) -> None:
        """Give the standby back."""
        self.did.append("standby given back")

    def release(self, server: Server) -> None:
        """Give a machine back."""
        self.did.append(f"machine in {server.zone} given back")

    def is_silent(self) -> bool:
        """Tell whether the primary is lost."""
        return self.primary is not None and not self.primary.host.powered

    def tell(self, code: str, *_: str) -> None:
        """Note an event."""
        self.did.append(code)

    def stop_watching(self) -> None:
        """Do nothing."""


def test_nothing_is_lost() -> None:
    """A primary, and a standby in another zone."""
    subject = Subject()
    subject.first.make()
    assert subject.did == ["machine in a", "standby in b"]


def test_the_first_machine_is_lost() -> None:
    """It is given back, and another one in another zone is the primary's."""
    subject = Subject(fills=1)
    subject.first.make()
    assert subject.did == [
        "machine in a", "MIRROR-HOST-REPLACED", "standby given back", "machine in a given back",
        "machine in b", "standby in a",
    ]  # fmt: skip


def test_a_zone_that_was_named_is_kept_to() -> None:
    """Who asked for a zone gets another machine in it, and an error when there is none, but no other zone."""
    subject = Subject(fills=1)
    subject.record = SimpleNamespace(zone="b", zone_named=True, multi_az=False)
    subject.first.make()
    assert [one for one in subject.did if "machine" in one and "back" not in one] == ["machine in b"] * 2
    subject.failing_fills = 9
    with pytest.raises(EnvironmentFailedError):
        subject.first.make()
    assert not any("machine in a" in one or "machine in c" in one for one in subject.did)


def test_the_standbys_machine_is_lost() -> None:
    """The primary stays, and another standby is made."""
    subject = Subject(standbys=1)
    subject.first.make()
    assert subject.did == ["machine in a", "standby in b", "standby given back", "standby in c"]


def test_the_primary_is_lost_while_its_standby_is_made() -> None:
    """Everything begins anew: nobody was served yet."""
    subject = Subject(standbys=1, with_primary=True)
    subject.first.make()
    assert subject.did[-2:] == ["machine in b", "standby in a"]
    assert subject.primary is not None
    assert subject.primary.zone == "b"


def test_what_fails_everywhere_fails() -> None:
    """After three machines it is no matter of machines."""
    subject = Subject(fills=9)
    with pytest.raises(EnvironmentFailedError):
        subject.first.make()
    assert [one for one in subject.did if one.startswith("machine in") and "back" not in one] == [
        "machine in a", "machine in b", "machine in c",
    ]  # fmt: skip


def test_a_backup_that_cannot_be_restored_is_no_matter_of_machines() -> None:
    """It ends the creation at once."""
    subject = Subject(unusable=True)
    with pytest.raises(RestoreFailedError):
        subject.first.make()
    assert subject.did == ["machine in a"]
