"""The families of faults that a mirror offers, and by kind which family it is of: `families`.

Each asks the supervisor to break and mend, and looks by other means whether that shows. A new kind of fault is a family
here, or one more kind of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from drdrill.environment.port import Injection
from drdrill.mirror.bad_statements import KINDS as STATEMENT_KINDS
from drdrill.mirror.bad_statements import observe_back, observe_destroyed
from drdrill.mirror.control_plane_faults import KINDS as CONTROL_PLANE_KINDS
from drdrill.mirror.control_plane_faults import judge_effect, judge_healed, name_asked
from drdrill.mirror.damaged_backups import KINDS as BACKUP_KINDS
from drdrill.mirror.damaged_backups import observe_lack, observe_whole
from drdrill.mirror.fault_observers import OBSERVERS
from drdrill.mirror.flapping import Rhythm
from drdrill.mirror.isolation_faults import KINDS as ISOLATION_KINDS
from drdrill.mirror.isolation_observers import observe_apart, observe_flapping, observe_joined, observe_steady
from drdrill.mirror.link_faults import KINDS as LINK_KINDS
from drdrill.mirror.link_observers import observe_link_effect, observe_link_healed
from drdrill.mirror.mirror_eyes import MirrorEyes
from drdrill.mirror.place_faults import KINDS as PLACE_KINDS
from drdrill.mirror.place_faults import observe_dark, observe_lit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.environment.port import FaultRequest
    from drdrill.mirror.control import Control
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.world import World

    Reading = Mapping[str, Any]
    Hosts = Sequence[Mapping[str, Any]]


class Family(Protocol):
    """Faults that are broken, mended and looked at alike. As `environment.port.FaultPort`, for its own kinds."""

    def inject(self, request: FaultRequest) -> Injection:
        """Break it."""
        ...

    def heal(self, injection: Injection) -> Reading:
        """Mend what that injection broke; where nobody knows what it was, all that its request named."""
        ...

    def observe_effect(self, injection: Injection) -> Reading:
        """Look whether the fault shows."""
        ...

    def observe_healed(self, injection: Injection) -> Reading:
        """Look whether what it broke is whole again."""
        ...


def families(world: World | None, directory: MirrorDirectory, control: Control) -> Mapping[str, Family]:
    """Return the family of every kind of fault. `world`: as seen from outside it; None: from its operators' host."""
    eyes = MirrorEyes(world, directory, control)
    return {
        **dict.fromkeys(OBSERVERS, HostFamily(control, eyes)),
        **dict.fromkeys(PLACE_KINDS, PlaceFamily(control, eyes)),
        **dict.fromkeys(CONTROL_PLANE_KINDS, ControlPlaneFamily(control, eyes)),
        **dict.fromkeys(ISOLATION_KINDS, IsolationFamily(control, eyes)),
        **dict.fromkeys(LINK_KINDS, LinkFamily(control)),
        **dict.fromkeys(STATEMENT_KINDS, StatementFamily(control, eyes)),
        **dict.fromkeys(BACKUP_KINDS, BackupFamily(control)),
    }


class HostFamily:
    """Hosts of a store's members: their power, processes, disks, and the zones in which they stand."""

    def __init__(self, control: Control, eyes: MirrorEyes) -> None:
        self._control, self._eyes = control, eyes

    def inject(self, request: FaultRequest) -> Injection:
        """Break the host of the member in the request's role, or those of all members."""
        answer = self._control.ask(
            "inject", kind=request.kind, resource=request.resource, role=request.role.value
        )
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Reading:
        """Mend these hosts."""
        names = [host["host"] for host in self._hosts_of(injection)]
        return self._control.ask("heal", kind=injection.kind, hosts=names)

    def observe_effect(self, injection: Injection) -> Reading:
        """Look at these hosts."""
        return OBSERVERS[injection.kind].observe_effect(self._eyes, self._hosts_of(injection))

    def observe_healed(self, injection: Injection) -> Reading:
        """Look at these hosts."""
        return OBSERVERS[injection.kind].observe_healed(self._eyes, self._hosts_of(injection))

    def _hosts_of(self, injection: Injection) -> Hosts:
        hosts: Hosts = (
            self._control.ask("hosts_of", resource=injection.resource)["hosts"]
            if injection.details.get("unconfirmed") is True
            else injection.details["hosts"]
        )
        return hosts


class PlaceFamily:
    """A whole zone, or a whole region."""

    def __init__(self, control: Control, eyes: MirrorEyes) -> None:
        self._control, self._eyes = control, eyes

    def inject(self, request: FaultRequest) -> Injection:
        """Break the place."""
        answer = self._control.ask("inject_place", kind=request.kind, resource=request.resource)
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Reading:
        """Mend the place."""
        return self._control.ask("heal_place", kind=injection.kind, resource=injection.resource)

    def observe_effect(self, injection: Injection) -> Reading:
        """Look at everything that had power there."""
        return observe_dark(self._eyes, self._hosts_in(injection))

    def observe_healed(self, injection: Injection) -> Reading:
        """Look at everything that had power there."""
        return observe_lit(self._eyes, self._hosts_in(injection))

    def _hosts_in(self, injection: Injection) -> Hosts:
        """Return what lost its power with a place and is there still: machines are replaced, and launched anew."""
        asked = {"kind": injection.kind, "resource": injection.resource}
        there: Hosts = self._control.ask("hosts_in_place", **asked)["hosts"]
        if injection.details.get("unconfirmed") is True:
            return there
        lost = {host["host"] for host in injection.details["hosts"]}
        return [host for host in there if host["host"] in lost]


class ControlPlaneFamily:
    """The APIs of a region, or Route 53's, and nothing of what they made."""

    def __init__(self, control: Control, eyes: MirrorEyes) -> None:
        self._control, self._eyes = control, eyes

    def inject(self, request: FaultRequest) -> Injection:
        """Take the control planes away."""
        answer = self._control.ask(
            "inject_control_planes", kind=request.kind, resource=request.resource, amount=request.amount
        )
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Reading:
        """Give them back."""
        return self._control.ask("heal_control_planes", kind=injection.kind, resource=injection.resource)

    def observe_effect(self, injection: Injection) -> Reading:
        """Ask the APIs as operators do, and look as users do at what serves beside them."""
        said, beside = self._look(injection)
        return judge_effect(injection.details["how"], injection.kind, said, beside, self._eyes.outside)

    def observe_healed(self, injection: Injection) -> Reading:
        """Ask and look again."""
        said, beside = self._look(injection)
        return judge_healed(injection.kind, said, beside, self._eyes.outside)

    def _look(self, injection: Injection) -> tuple[Mapping[str, str], Hosts]:
        kind = injection.kind
        served = self._control.ask("served_beside", kind=kind, resource=injection.resource)
        asked, serving = name_asked(kind)
        said = self._eyes.at_apis(served["region"], (*asked, *serving))
        return said, [
            {**one, "addresses": self._eyes.where_led(one["name"], one["port"])} for one in served["names"]
        ]


class IsolationFamily:
    """A region that lives on and hears nobody outside: all the time, or in turns."""

    def __init__(self, control: Control, eyes: MirrorEyes) -> None:
        self._control, self._eyes = control, eyes

    def inject(self, request: FaultRequest) -> Injection:
        """Isolate the region."""
        answer = self._control.ask(
            "inject_isolation", kind=request.kind, resource=request.resource, amount=request.amount
        )
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Reading:
        """Connect the region."""
        return self._control.ask("heal_isolation", resource=injection.resource)

    def observe_effect(self, injection: Injection) -> Reading:
        """Look at the region from outside, and from within it at itself and at what is outside."""
        rhythm = injection.details.get("rhythm")
        there = self._look_up(injection)
        if rhythm:
            return observe_flapping(self._eyes, there["apis"], Rhythm(**rhythm))
        return observe_apart(self._eyes, there["hosts"], there["outside"], there["zone"])

    def observe_healed(self, injection: Injection) -> Reading:
        """Look at the region from outside."""
        there, rhythm = self._look_up(injection), injection.details.get("rhythm")
        reading = observe_joined(self._eyes, there["hosts"])
        if rhythm and reading["healed"]:
            return {**reading, **observe_steady(self._eyes, there["apis"], Rhythm(**rhythm))}
        return reading

    def _look_up(self, injection: Injection) -> Reading:
        """Return what lives in the region now."""
        return self._control.ask("region_now", resource=injection.resource)


class LinkFamily:
    """What a store streams to its replicas in other regions."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def inject(self, request: FaultRequest) -> Injection:
        """Shape the links out of the store."""
        answer = self._control.ask(
            "inject_link", kind=request.kind, resource=request.resource, amount=request.amount
        )
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Reading:
        """Have the links be as usual."""
        return self._control.ask("heal_link", **_source_of(injection))

    def observe_effect(self, injection: Injection) -> Reading:
        """Look from the other ends."""
        return observe_link_effect(self._look(injection), injection.details["condition"])

    def observe_healed(self, injection: Injection) -> Reading:
        """Look from the other ends."""
        return observe_link_healed(self._look(injection), injection.details.get("condition"))

    def _look(self, injection: Injection) -> Reading:
        condition = injection.details.get("condition") or {}
        patience = float(condition.get("delay_seconds", 0.0))
        return self._control.ask("look_at_link", **_source_of(injection), patience_seconds=patience)


class StatementFamily:
    """Bad statements. Nothing can be taken away again: rows come back by a restore."""

    def __init__(self, control: Control, eyes: MirrorEyes) -> None:
        self._control, self._eyes = control, eyes

    def inject(self, request: FaultRequest) -> Injection:
        """Run the statement."""
        answer = self._control.ask(
            "inject_statement",
            resource=request.resource,
            statement=request.statement,
            doomed=request.doomed,
        )
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Reading:
        """Mend nothing."""
        del injection
        return {"mended": "nothing: rows come back by a restore"}

    def observe_effect(self, injection: Injection) -> Reading:
        """Ask the database by its endpoint's name."""
        return observe_destroyed(self._eyes.into_database, injection.details)

    def observe_healed(self, injection: Injection) -> Reading:
        """Ask the database by its endpoint's name."""
        return observe_back(self._eyes.into_database, injection.details)


class BackupFamily:
    """Backups that restore, and lack rows."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def inject(self, request: FaultRequest) -> Injection:
        """Damage the newest backup."""
        answer = self._control.ask(
            "damage_backup",
            resource=request.resource,
            statement=request.statement,
            doomed=request.doomed,
        )
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Reading:
        """Put the backups' own bytes back."""
        return self._control.ask(
            "mend_backups", resource=injection.details.get("instance", injection.resource)
        )

    def observe_effect(self, injection: Injection) -> Reading:
        """Look into the backup with PostgreSQL's own programs."""
        return observe_lack(self._control.ask, injection.details)

    def observe_healed(self, injection: Injection) -> Reading:
        """Look into the backup with PostgreSQL's own programs."""
        return observe_whole(self._control.ask, injection.details)


def _source_of(injection: Injection) -> Mapping[str, Any]:
    """Return whose links are meant, and where: where nobody knows what was done, those of the request's database."""
    details = injection.details
    return {"source": details.get("source", injection.resource), "region": details.get("region")}
