"""A walk over a mirror's databases: what was asked of RDS and accepted, what broke, and what has to be true at rest.

At rest, status, roles, endpoint and data of each instance agree, and no row is missing whose commit was acknowledged;
no two servers of one instance accept writes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from drdrill.aws.protocol import load_model
from drdrill.core.errors import EnvironmentFailedError, NotObservedError
from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, StoreRole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.environment.port import Injection
    from drdrill.mirror.embedded import Embedded
    from tests.live.walker import Operator

REGION, FAR = "eu-west-1", "eu-central-1"
AT_REST_WITHIN = timedelta(
    seconds=120
)  # measured 0.1 to 8 s; a server that hangs may be waited for three times
EVERY = timedelta(milliseconds=100)
_COMMON = frozenset({
    "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "NotImplemented",
})  # fmt: skip
_SERVES = frozenset({"available", "backing-up"})
# Statuses in which an instance stays until somebody asks for something.
_RESTS = frozenset({"available", "stopped", "failed", "incompatible-restore", "incompatible-parameters"})


def _say(*words: object) -> None:
    print(*words)  # noqa: T201  (shown with a failure: what was done)


class ViolationError(Exception):
    """Something is true that must not be for a moment: nothing that may be waited for."""


@dataclass
class Expected:
    """What was acknowledged of one instance: rows that it must have, and those that it may have besides.

    A read replica has those of its source in time; when it parts from it, those that were seen there.
    """

    must: set[int] = field(default_factory=set)
    may: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    source: Expected | None = None
    region: str = REGION
    doomed: bool = False  # a deletion was accepted
    new: bool = True  # it was never seen available
    excused: bool = (
        False  # of a new replica: what it was to be a copy of was out of its reach, and it may have failed
    )
    waits: bool = False  # something is pending that nobody applied
    origin: Expected | None = None  # of a snapshot: what was written while it was taken may be in it

    def copy(self) -> Expected:
        """Return what one made of its data begins with: what is there for sure, maybe what came later."""
        before = self.source or self
        must = self.seen if self.source else self.must
        later = self.origin.copy().may if self.origin else set()
        return Expected(must=set(must), may=before.may | before.must | self.seen | later, region=self.region)

    def part(self) -> None:
        """Have it follow nobody any more."""
        apart = self.copy()
        self.must, self.may, self.source = apart.must, apart.may, None


@dataclass
class Walk:
    """What was done so far, and what has to be true of it."""

    environment: Embedded
    operator: Operator
    instances: dict[str, Expected] = field(default_factory=dict)
    snapshots: dict[str, Expected] = field(default_factory=dict)
    broken: list[Injection] = field(default_factory=list)
    cut: set[tuple[str, str]] = field(default_factory=set)  # links that nothing goes over, by their regions
    renamed: set[str] = field(default_factory=set)  # new names that were not seen yet
    _rows: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def begin(cls, environment: Embedded, operator: Operator) -> Self:
        """Begin where no instance of an earlier walk is."""
        walk = cls(environment, operator)
        walk.clear()
        return walk

    # -- asking ----------------------------------------------------------------------------------------------

    def call(self, operation: str, *, region: str = "", **parameters: object) -> dict[str, Any] | None:
        """Call RDS, where that is not said in the region of the instance; None: a typed error refused it."""
        region = region or self.region_of(str(parameters.get("DBInstanceIdentifier")))
        said = self.operator.ask("aws", region=region, operation=operation, parameters=parameters)
        _say(region, operation, parameters, said.get("error") or "accepted")
        if "answer" in said:
            answer: dict[str, Any] = said["answer"]
            return answer
        method = "".join(part.capitalize() for part in operation.split("_")).replace("Db", "DB")
        declared = {
            str(one.metadata.get("error", {}).get("code", one.name))
            for one in load_model("rds").operation_model(method).error_shapes
        }
        assert said["error"] in _COMMON | declared, said
        assert said["status"] in (400, 404, 501), said
        return None

    def region_of(self, name: str) -> str:
        """Return the region of an instance; of one that there is not, the one where most of them are."""
        return self.instances[name].region if name in self.instances else REGION

    def describe(self) -> dict[str, Mapping[str, Any]]:
        """Return what AWS says of all instances of the walk, by name."""
        return {
            name: one
            for region in (REGION, FAR)
            for name, one in self._list(region).items()
            if name in self.instances and self.instances[name].region == region
        }

    def _list(self, region: str) -> dict[str, Mapping[str, Any]]:
        said = self.operator.ask("aws", region=region, operation="describe_db_instances", parameters={})
        return {one["DBInstanceIdentifier"]: one for one in said["answer"]["DBInstances"]}

    def write(self, name: str) -> None:
        """Write a row by the endpoint's name; only an acknowledged one must stay."""
        described, row = self.describe().get(name), next(self._rows)
        if described is None or described["DBInstanceStatus"] not in _SERVES:
            return
        said = self.operator.sql(
            described["Endpoint"]["Address"],
            f"create table if not exists walk (id int primary key); insert into walk values ({row})",  # noqa: S608
        )
        expected = self.instances[name]
        (expected.must if "rows" in said else expected.may).add(row)

    def rename(self, old: str, new: str) -> None:
        """Know an instance by the name that it is to have."""
        self.instances[new] = self.instances.pop(old)
        self.renamed.add(new)

    # -- breaking --------------------------------------------------------------------------------------------

    def break_(self, kind: str, name: str, *, standby: bool) -> None:
        """Inject a fault into an instance's standby, or where there is none into its only server, if there is any."""
        roles = [one["role"] for one in self._members(name)]
        role = StoreRole(
            StoreRole.STANDBY if standby and StoreRole.STANDBY in roles else next(iter(roles), "primary")
        )
        request = FaultRequest(kind=kind, store="payments-database", resource=name, role=role)
        try:
            self.broken.append(self.environment.faults.inject(request))
            self._excuse()
            _say("broken:", kind, name, role, self.broken[-1].resource)
        except EnvironmentFailedError as error:
            _say("not broken:", kind, name, role, error)

    def cut_link(self, source: str, destination: str) -> None:
        """Have nothing go over a link between two regions any more."""
        self.environment.world.control.ask("shape_link", source=source, destination=destination, cut=True)
        self.cut.add((source, destination))
        self._excuse()
        _say("cut:", source, destination)

    def heal(self) -> None:
        """Mend everything that was broken."""
        for source, destination in self.cut:
            self.environment.world.control.ask("restore_link", source=source, destination=destination)
        self.cut.clear()
        while self.broken:
            _say("healed:", self.broken[-1].resource)
            self.environment.faults.heal(self.broken.pop())

    # -- looking ---------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Wait until everything is at rest, and compare what the API, the servers, DNS and the data say."""
        if self.renamed:
            self.heal()  # an instance without power keeps its old name
            self.renamed.clear()

        said = ""

        def agrees() -> bool:
            nonlocal said
            try:
                self._judge_all()
            except AssertionError as disagreement:
                said = str(disagreement)
                return False
            return True

        try:
            wait_until(agrees, what="agreement at rest", within=AT_REST_WITHIN, every=EVERY)
        except NotObservedError as error:
            raise AssertionError(f"{said}; {self.stores()}") from error

    def _judge_all(self) -> None:
        """Raise AssertionError while anything is not at rest, or disagrees: nobody has noticed a loss yet, perhaps."""
        described, powered = self.describe(), self._read_power()
        for name in list(self.instances):
            if name not in described:
                assert self.instances[name].doomed, f"{name} is gone"
                del self.instances[name]
        for name, one in described.items():
            assert self._rests(name, one, powered), f"{name} is not at rest: {one['DBInstanceStatus']}"
            self._judge(name, one, powered)

    def stores(self) -> dict[str, Any]:
        """Return what the supervisor knows of all instances of the walk."""
        stores = self.environment.world.control.ask("stores")["stores"]
        return {one["resource"]: one for one in stores if one["resource"] in self.instances}

    def _read_power(self) -> set[str]:
        """Return the hosts that have power and are not cut off."""
        hosts = self.environment.world.control.ask("hosts")["hosts"]
        away = {zone for one in self.broken for zone in one.details.get("zones", ())}
        return {one["name"] for one in hosts if one["powered"] and one["zone"] not in away}

    def _members(self, name: str) -> list[Mapping[str, Any]]:
        """Return an instance's own servers: a store's members are its replicas, too, and what became of them."""
        own = {one["host"] for one in self.hosts_of(name)}
        store = self.stores().get(name, {"members": []})
        return [one for one in store["members"] if one["host"] in own]

    def _primary(self, name: str) -> Mapping[str, Any] | None:
        members = self._members(name)
        return members[0] if members and members[0]["role"] != "standby" else None

    def _rests(self, name: str, described: Mapping[str, Any], powered: set[str]) -> bool:
        if self.instances[name].doomed:
            return False
        status, primary = described["DBInstanceStatus"], self._primary(name)
        standbys = [one for one in self._members(name) if one["role"] == "standby"]
        takes_over = any(one["host"] in powered for one in standbys)
        if primary is not None and primary["host"] not in powered and not takes_over:
            return status not in _SERVES | {"creating"}
        if status != "available":
            return status in _RESTS
        pending = described["PendingModifiedValues"] and not self.instances[name].waits
        in_sync = any(one["sync_state"] == "sync" for one in standbys)
        protected = not described["MultiAZ"] or (in_sync and "SecondaryAvailabilityZone" in described)
        follows = all(info["Normal"] for info in described.get("StatusInfos", ())) or self._is_apart(
            described
        )
        return protected and follows and not pending

    def _is_apart(self, described: Mapping[str, Any]) -> bool:
        """Tell whether a replica cannot follow its source now: that is down, gone, or behind a link that is cut."""
        name = str(described.get("ReadReplicaSourceDBInstanceIdentifier") or "").rpartition(":")[2]
        source, primary = self.describe().get(name), self._primary(name)
        dark = primary is None or primary["host"] not in self._read_power()
        regions = self.region_of(name), self.region_of(described["DBInstanceIdentifier"])
        return source is None or dark or source["DBInstanceStatus"] != "available" or regions in self.cut

    def _judge(self, name: str, described: Mapping[str, Any], powered: set[str]) -> None:
        expected, status = self.instances[name], described["DBInstanceStatus"]
        hosts = [host for host in self.hosts_of(name) if host["powered"]]
        writers = [host for host in hosts if self._accepts_writes(host)]
        if len(writers) > 1:
            raise ViolationError(f"{name} has the writers {writers}")
        if status != "available":
            excused = expected.excused or (expected.source is not None and expected.source.doomed)
            if status == "failed" and not (expected.new and excused):
                raise ViolationError(f"{name} has failed: {self._events(name)}")
            return
        expected.new = False
        primary = self._primary(name)
        assert primary is not None
        assert primary["host"] in powered, f"{name} is available on {primary}, which has no power"
        if "Endpoint" not in described:
            raise ViolationError(f"{name} is available, and was never created: {self._events(name)}")
        resolved = self.operator.ask("resolve", name=described["Endpoint"]["Address"])["addresses"]
        assert resolved == [primary["address"]], f"{name}: {resolved}, but the primary is {primary}"
        assert described["AvailabilityZone"] == primary["zone"]
        replica = described.get("ReadReplicaSourceDBInstanceIdentifier") is not None
        assert not replica or expected.source is not None, f"{name} is a replica again"
        if not replica and expected.source is not None:
            assert expected.source.doomed, f"{name} is no replica any more, and nobody promoted it"
            expected.part()
        recovers = self.operator.sql(resolved[0], "select pg_is_in_recovery()")
        assert recovers.get("rows") == [[replica]], f"{name}: {recovers}"
        assert replica or [one["address"] for one in writers] == resolved
        if not replica or not self._is_apart(described):
            self._compare(name, resolved[0])
        for member in self._members(name):
            if member["role"] == "standby" and described.get("SecondaryAvailabilityZone"):
                assert member["zone"] == described["SecondaryAvailabilityZone"] != primary["zone"]
                self._compare(name, member["address"])

    def _compare(self, name: str, address: str) -> None:
        expected = self.instances[name]
        held = expected.source or expected
        said = self.operator.sql(address, "select id from walk")
        if said.get("error") == "UndefinedTable":
            said = {"rows": []}
        assert "rows" in said, f"{name}: {said}"
        expected.seen = {row[0] for row in said["rows"]}
        lacking = held.must - expected.seen
        assert not lacking, f"{name} lacks the acknowledged rows {lacking} at {address}"
        unknown = expected.seen - held.must - held.may
        assert not unknown, f"{name} has rows that nobody wrote: {unknown}"

    def _excuse(self) -> None:
        """Excuse the replicas that are being made: their source may be what is out of reach now."""
        for one in self.instances.values():
            one.excused = one.excused or one.source is not None

    def hosts_of(self, name: str) -> list[Mapping[str, Any]]:
        """Return the hosts that an instance has or had; none: there is no such instance any more."""
        try:
            hosts: list[Mapping[str, Any]] = self.environment.world.control.ask("hosts_of", resource=name)[
                "hosts"
            ]
        except EnvironmentFailedError:
            return []
        return hosts

    def _accepts_writes(self, host: Mapping[str, Any]) -> bool:
        said = self.operator.sql(host["address"], "select pg_is_in_recovery()")
        return bool(said.get("rows") == [[False]])

    def _events(self, name: str) -> list[str]:
        return [event["message"] for event in self.stores()[name]["events"]][-8:]

    # -- ending ----------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Heal everything, and delete every instance and snapshot of the walk; nothing may stay."""
        self.heal()
        self.instances |= {
            name: Expected(region=region)
            for region in (REGION, FAR)
            for name in self._list(region)
            if name.startswith("w-") and name not in self.instances
        }

        def gone() -> bool:
            described = self.describe()
            for name in described:
                self.operator.ask(
                    "aws", region=self.region_of(name), operation="delete_db_instance",
                    parameters={"DBInstanceIdentifier": name, "SkipFinalSnapshot": True},
                )  # fmt: skip
            return not described

        wait_until(gone, what="the end of all instances", within=AT_REST_WITHIN, every=EVERY)
        self.instances.clear()
        for name, taken in self.snapshots.items():
            self.operator.ask(
                "aws",
                region=taken.region,
                operation="delete_db_snapshot",
                parameters={"DBSnapshotIdentifier": name},
            )
        self.snapshots.clear()
