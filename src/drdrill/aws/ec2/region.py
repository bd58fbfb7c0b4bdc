"""EC2 in one region: its instances, which of them are silent, and which launches are refused."""

from __future__ import annotations

import functools
import logging
import re
import secrets
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.aws.ec2.model import Check, Ec2Settings, InstanceRecord, Refusal, State
from drdrill.aws.ec2.networks import Networks
from drdrill.aws.errors import AwsError
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.cluster_port import Machine
    from drdrill.aws.ec2.places import Zone
    from drdrill.aws.ports import Subnet
    from drdrill.aws.upstream_client import UpstreamClient
    from drdrill.core.clock import Clock

_log = logging.getLogger(__name__)
_IDENTIFIER = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_REMEMBERED = timedelta(hours=1)  # User Guide, "Terminate Amazon EC2 instances": visible for a short while


def new_identifier() -> str:
    """Return an id for an instance."""
    return f"i-{secrets.token_hex(9)[:17]}"


def spawn_thread(work: Callable[[], None]) -> None:
    """Run something in a thread of its own."""
    threading.Thread(target=work, name="ec2", daemon=True).start()


class Ec2Region:
    """Thread-safe: the gate calls from many threads, and so do those who launch.

    `upstream` keeps its networks; without one it has its default VPC.
    """

    def __init__(
        self,
        name: str,
        account: str,
        zones: Sequence[Zone],
        settings: Ec2Settings,
        clock: Clock,
        *,
        spawn: Callable[[Callable[[], None]], None] = spawn_thread,
        upstream: UpstreamClient | None = None,
    ) -> None:
        self.name = name
        self.account = account
        self.zones = tuple(zones)
        self.subnets = Networks(self.zones, account, upstream)
        self.clock = clock
        self._settings = settings
        self._spawn = spawn
        self._lock = threading.Lock()
        self._instances: dict[str, InstanceRecord] = {}
        self._silent_since_ns: dict[str, int] = {}
        self._refusals: tuple[Refusal, ...] = ()

    # -- what is launched and terminated ----------------------------------------------------------------------

    def launch(
        self,
        identifier: str,
        subnet: Subnet,
        make: Callable[[str], Machine],
        *,
        instance_type: str,
        tags: Mapping[str, str],
    ) -> InstanceRecord:
        """Have an instance's machine made in a subnet; raises AWS's error when that is refused, or fails."""
        self._refuse(subnet.zone, instance_type)
        record = InstanceRecord(
            identifier, subnet, instance_type, launched_at=self.clock.utc(), tags=tuple(tags.items())
        )
        with self._lock:
            self._instances[identifier] = record
        try:
            machine = make(identifier)
        except DrdrillError as error:
            _log.exception("the machine of %s could not be made", identifier)
            reason = ("Server.InternalError", "Server.InternalError: Internal error on launch")
            self._change(identifier, ending=True, ended_at=self.clock.utc(), reason=reason)
            raise AwsError("InternalError", f"An internal error has occurred: {error}", status=500) from error
        with self._lock:
            record = self._instances[identifier]
            if not record.ending:  # nobody terminated it meanwhile
                record = self._instances[identifier] = replace(record, machine=machine)
        if record.ending:
            self._take_away(identifier, machine)
        return record

    def _refuse(self, zone: str, instance_type: str) -> None:
        for refusal in self.refusals:
            if refusal.zone in (None, zone):
                raise AwsError(refusal.code, refusal.message.format(zone=zone, type=instance_type))

    def terminate(self, identifier: str) -> tuple[State, State]:
        """Have an instance's machine taken away; return its state before and now. Harmless when it is terminated."""
        with self._lock:
            record = self._instances[identifier]
            before, machine = record.state, None if record.ending else record.machine
            if not record.ending:
                reason = (
                    "Client.UserInitiatedShutdown",
                    "Client.UserInitiatedShutdown: User initiated shutdown",
                )
                record = self._instances[identifier] = replace(record, ending=True, reason=reason)
        now = record.state
        if machine is not None:
            self._spawn(functools.partial(self._take_away, identifier, machine))
        return before, now

    def _take_away(self, identifier: str, machine: Machine) -> None:
        try:
            machine.take_away()
        except DrdrillError:
            _log.exception("the machine of %s could not be taken away", identifier)
            return
        self._change(identifier, machine=None, ended_at=self.clock.utc())

    def _change(self, identifier: str, **changes: Any) -> None:
        with self._lock:
            self._instances[identifier] = replace(self._instances[identifier], **changes)

    # -- what can be seen -------------------------------------------------------------------------------------

    def instances(self) -> tuple[InstanceRecord, ...]:
        """Return all instances, those included that were terminated a short while ago."""
        oldest = self.clock.utc() - _REMEMBERED
        with self._lock:
            gone = [
                one for one in self._instances.values() if one.ended_at is not None and one.ended_at < oldest
            ]
            for record in gone:
                del self._instances[record.identifier]
                self._silent_since_ns.pop(record.identifier, None)
            return tuple(self._instances.values())

    def find(self, identifier: str) -> InstanceRecord:
        """Return an instance; raises what AWS raises for an id that there is not, or cannot be."""
        if not _IDENTIFIER.fullmatch(identifier):
            raise AwsError("InvalidInstanceID.Malformed", f'Invalid id: "{identifier}"')
        with self._lock:
            found = self._instances.get(identifier)
        if found is None:
            raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{identifier}' does not exist")
        return found

    def check(self, record: InstanceRecord) -> Check:
        """Return what its status checks say; whoever wants to know how long it is silent has to look in between."""
        now, state = self.clock.now_ns(), record.state
        with self._lock:
            if state is not State.STOPPED:
                self._silent_since_ns.pop(record.identifier, None)
                return Check.OK if state is State.RUNNING else Check.NOT_APPLICABLE
            silent_ns = now - self._silent_since_ns.setdefault(record.identifier, now)
        impaired = silent_ns >= self._settings.status_checks.total_seconds() * NANOSECONDS
        return Check.IMPAIRED if impaired else Check.INSUFFICIENT_DATA

    def default_subnet(self, zone: str) -> Subnet:
        """Return the default subnet of a zone; raises what AWS raises where somebody deleted it."""
        for subnet in self.subnets.defaults():
            if subnet.zone == zone:
                return subnet
        raise AwsError("MissingInput", f"No default subnet for availability zone: '{zone}'.")

    # -- what is refused --------------------------------------------------------------------------------------

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Which launches are refused now."""
        with self._lock:
            return self._refusals

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        """Refuse these launches from now on, and no others."""
        with self._lock:
            self._refusals = tuple(refusals)
