"""The port that every environment implements: what a drill may ask of the system that it drills.

An environment is a context manager: it enters healthy and exits leaving nothing behind, whatever happened in
between. Environments are found as entry points of the group `drdrill.environments`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from drdrill.plan import Plan


@dataclass(frozen=True, slots=True)
class Identity:
    """What an environment says of itself; the guard believes nothing else.

    `expendable` is true only where the environment was made to be broken (a mirror that drdrill built).
    """

    environment: str
    instance: str
    expendable: bool


class StoreRole(StrEnum):
    """The part that a member of a replicated store plays."""

    PRIMARY = "primary"
    STANDBY = "standby"
    REPLICA = "replica"


@dataclass(frozen=True, slots=True)
class FaultRequest:
    """What is to be broken: a kind of the catalogue, and a store's member by its role. `resource`: the API's name.

    `store`: the plan's name of what is hit; of kinds that hit a zone, a region or Route 53 its name, as `resource`.
    `amount`: how much, in words such as `3 s`; empty for kinds that know no more and less.
    `statement`: the SQL of a kind that is one; `doomed`: a query of the keys, one bigint, of the rows that it destroys.
    """

    kind: str
    store: str
    resource: str
    role: StoreRole
    amount: str = ""
    statement: str = ""
    doomed: str = ""


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault that was injected into `resource` (a host's name) between two moments of the boot-time clock."""

    kind: str
    resource: str
    before_ns: int
    after_ns: int
    details: Mapping[str, Any]


class FaultPort(Protocol):
    """What `drdrill.faults` needs of an environment. Mutations report what they did; observations only look."""

    @property
    def state_directory(self) -> Path:
        """Return the directory that outlives the runner, for the record of active faults."""
        ...

    def read_identity(self) -> Identity:
        """Return who this is. Raises `ControlLostError` when it cannot be read."""
        ...

    def inject(self, request: FaultRequest) -> Injection:
        """Break it."""
        ...

    def heal(self, injection: Injection) -> Mapping[str, Any]:
        """Mend only what that injection broke; healing twice is harmless.

        `details` with `unconfirmed: true` mean that `inject` never came back: `resource` is then the request's,
        `store` and `role` stand in the details, and whatever of that is found broken is mended. `observe_healed`
        gets the same injection.
        """
        ...

    def observe_effect(self, injection: Injection) -> Mapping[str, Any]:
        """Look, by other means than the injector's, whether the fault is effective: `effective` is a boolean."""
        ...

    def observe_healed(self, injection: Injection) -> Mapping[str, Any]:
        """Look, by other means than the healer's, whether the target is whole again: `healed` is a boolean."""
        ...


@dataclass(frozen=True, slots=True)
class StoreMember:
    """A server of a store: its host, where it stands, its address, its role, and how it follows the primary."""

    host: str
    zone: str
    address: str
    role: StoreRole
    sync_state: str  # `sync`, `async`, or `` for a primary


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """What the cloud says happened to a store: its code and words, on the boot-time clock."""

    at_ns: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class StoreState:
    """What is observed of a store now. `status` is the API's word; `protected`: a standby in sync in another zone.

    `database`: the cloud's own id of what has the name now. `role_changes_ns`: when each completed change of its
    primary was, since it was made, in order. `named_ns`: since when it has the name; None: since it was made. Both
    boot-time. `ttl_seconds`: for how long resolvers keep the endpoint's address; None: nobody says.
    """

    resource: str
    database: str
    status: str
    endpoint: str
    members: tuple[StoreMember, ...]
    protected: bool
    role_changes_ns: tuple[int, ...]
    events: tuple[StoreEvent, ...]
    named_ns: int | None = None
    ttl_seconds: float | None = None

    @property
    def promotions(self) -> int:
        """Return how often the primary changed since the database was made."""
        return len(self.role_changes_ns)


@dataclass(frozen=True, slots=True)
class RegionCapacity:
    """What a region can carry: nodes that are ready, by zone; pods of each deployment that are ready, and wanted.

    `answers`: whether its clusters could be asked at all.
    """

    answers: bool
    nodes: Mapping[str, int]
    ready: Mapping[str, int]
    wanted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How true a component is in this environment: `real`, `emulated` or `modelled`, and what it cannot show."""

    component: str
    kind: str
    limits: str


class Environment(Protocol):
    """A living two-region system that can be drilled."""

    name: ClassVar[str]
    fidelity: ClassVar[tuple[Fidelity, ...]]

    def __init__(
        self,
        root: Path,
        plan: Plan,
        *,
        name: str | None = None,
        standing: bool = False,
        whole: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare one for the drill repository at `root`; nothing is started yet. `tell` hears how it comes up.

        `whole`: with the company's whole system, and not only what drills of databases need.
        `name` alone: the standing one of that name is used, and left as it is. `standing`: it outlives this process.
        Raises `InvalidInputError` for mistakes in its configuration.
        """
        ...

    @property
    def instance(self) -> str:
        """Return the id of this one, as the guard compares it with `Identity.instance`."""
        ...

    @property
    def resolver(self) -> str:
        """Return the IPv4 address of the DNS server that users ask."""
        ...

    @property
    def authorities(self) -> str | None:
        """Return the file of the certificate authorities that users trust; None: their machines' own."""
        ...

    @property
    def black_hole(self) -> str:
        """Return an IPv4 address that takes everything in and never answers: for the positive control."""
        ...

    @classmethod
    def attach(cls, control: str) -> FaultPort:
        """Return the fault port of one that already stands, by its control address, without owning its life.

        Raises `ControlLostError` when nobody answers there.
        """
        ...

    def __enter__(self) -> Self:
        """Bring it up; it is healthy when this returns."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take it down; nothing of it is left."""
        ...

    @property
    def control(self) -> str:
        """Return the address of the control socket, for `DRDRILL_CONTROL`."""
        ...

    @property
    def faults(self) -> FaultPort:
        """Return the port through which this environment is broken and healed."""
        ...

    def observe_store(self, resource: str) -> StoreState:
        """Look at a store's members."""
        ...

    def observe_capacity(self) -> Mapping[str, RegionCapacity]:
        """Look at what each region can carry now, by its name."""
        ...

    def observe_restore(self, resource: str) -> Mapping[str, Any]:
        """Look at what a store was restored from, with the fields of the journal's event `restore.observed`.

        Raises `EnvironmentFailedError` when it was not restored from a backup.
        """
        ...

    def run_for_operator(
        self,
        command: Sequence[str],
        *,
        within: timedelta,
        output: Path | None = None,
        errors: Path | None = None,
        grace: timedelta = timedelta(),
    ) -> str:
        """Run a command where operators work, with their credentials; return its output (or write it to `output`).

        `errors`: where its standard error goes. `grace`: how long it may take to end by itself (SIGINT) when its time
        is over or this is interrupted; then it is killed. Raises `CommandFailedError` with the command, its status and
        what it said.
        """
        ...

    def start_client(self, name: str, command: Sequence[str], *, log: Path, zone: str | None = None) -> None:
        """Start a client's process where users are, or on a machine of ours in a zone."""
        ...

    def stop_clients(self, *, within: timedelta) -> Mapping[str, int]:
        """Ask all clients to end (SIGTERM), wait for them, and return their exit statuses (negative: killed)."""
        ...

    def observe_clients(self) -> Mapping[str, bool]:
        """Return for each started client whether its process runs."""
        ...

    def start_sampling(self, resource: str, output: Path) -> None:
        """Begin to append readings of a store's replication to `output`, one JSON line a reading."""
        ...

    def stop_sampling(self) -> None:
        """End all sampling."""
        ...

    def start_call_record(self, output: Path) -> None:
        """Begin to append what operators call to `output`, one JSON line a call. Raises `DrdrillError`."""
        ...

    def stop_call_record(self) -> None:
        """Record no call any more. Harmless when none is."""
        ...

    def save_log(self, output: Path) -> None:
        """Write what the environment itself logged, for whoever wonders why a drill is worth nothing.

        It raises nothing: a log that is not there spoils no drill.
        """
        ...
