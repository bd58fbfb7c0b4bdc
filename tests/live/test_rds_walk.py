"""Random walks over RDS calls and lost machines in one mirror: whatever comes after whatever, all agree at rest."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.live.walk import DATABASE, PASSWORD, USER, Expected, Operator, Walk
from tests.mirror.standing import copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.drill
NAMES, SNAPSHOTS = ("w-a", "w-b", "w-c"), ("s-a", "s-b")
WRONG = 11
CHANGES: list[dict[str, Any]] = [
    {"DBInstanceClass": "db.r6g.xlarge"},
    {"DBInstanceClass": "db.r6g.large"},
    {"MultiAZ": True},
    {"MultiAZ": False},
    {"AllocatedStorage": 40},
    {"BackupRetentionPeriod": 0},
    {"BackupRetentionPeriod": 2},
    {"MultiAZ": True, "DBInstanceClass": "db.m6g.large"},
]


# How often each comes. One rule for all: hypothesis leaves whole rules out of a walk.
ACTS = {
    "heal": 3, "lose": 5, "modify": 3, "reboot": 3, "replicate": 3, "promote": 2, "restore": 2, "take_snapshot": 2,
    "create": 2, "rename": 2, "stop_or_start": 2, "delete": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Draw:
    """A step: what is done, and to what. `pick` and `free` say which instance and which name; `WRONG`: a wrong one."""

    act: str
    pick: int
    free: int
    flag: bool
    changes: dict[str, Any]
    snapshot: str
    kind: str
    settled: bool  # what comes next finds everything at rest


KINDS = {
    "host_power_loss": 4, "process_hang": 2, "process_kill": 1, "all_hosts_power_loss": 2, "zone_partition": 1,
}  # fmt: skip


def _draw(number: int) -> Draw:
    """Return the step that a number stands for. Drawn part by part, hypothesis repeats steps: few are accepted then."""
    chosen = random.Random(number)  # noqa: S311  (no secrets)
    return Draw(
        act=chosen.choices(list(ACTS), list(ACTS.values()))[0],
        pick=chosen.randint(0, WRONG),
        free=chosen.randint(0, WRONG),
        flag=chosen.random() < 0.5,
        changes=chosen.choice(CHANGES),
        snapshot=chosen.choice(SNAPSHOTS),
        kind=chosen.choices(list(KINDS), list(KINDS.values()))[0],
        settled=chosen.random() < 0.6,
    )


STEPS = st.integers(0, 2**32).map(_draw)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Embedded, Operator]]:
    """Return a mirror for this module with an operator in it, and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as environment:
        operator = Operator(environment)
        try:
            yield environment, operator
        finally:
            operator.close()


class RdsWalk(RuleBasedStateMachine):
    """Calls and losses in any order; `mirror` is set by the test that runs it."""

    mirror: ClassVar[tuple[Embedded, Operator]]

    def __init__(self) -> None:
        super().__init__()
        print("\na new walk")  # noqa: T201
        self.walk = Walk.begin(*self.mirror)

    @initialize(draw=STEPS)
    def begin(self, draw: Draw) -> None:
        """Have one instance with a row in it, mostly with a standby."""
        self._create(NAMES[0], multi_az=draw.pick > 3)
        self.walk.look()
        self.walk.write(NAMES[0])

    @rule(draw=STEPS)
    def step(self, draw: Draw) -> None:
        """Do something, and look at everything at rest, or do not wait for that."""
        getattr(self, draw.act)(draw)
        if draw.settled:
            self.walk.look()

    def _pick(self, draw: Draw) -> str:
        """Return the name of an instance, and have it written to."""
        there = sorted(self.walk.instances)
        if draw.pick == WRONG or not there:
            return "w-nobody"
        name = there[draw.pick % len(there)]
        self.walk.write(name)
        return name

    def _pick_free(self, draw: Draw) -> str:
        free = [name for name in NAMES if name not in self.walk.instances]
        return NAMES[0] if draw.free == WRONG or not free else free[0]

    def _create(self, name: str, *, multi_az: bool) -> None:
        accepted = self.walk.call(
            "create_db_instance", DBInstanceIdentifier=name, DBInstanceClass="db.r6g.large", Engine="postgres",
            AllocatedStorage=20, DBName=DATABASE, MasterUsername=USER, MasterUserPassword=PASSWORD, MultiAZ=multi_az,
        )  # fmt: skip
        if accepted:
            self.walk.instances[name] = Expected()

    def create(self, draw: Draw) -> None:
        """Make an instance."""
        self._create(self._pick_free(draw), multi_az=draw.flag)

    def modify(self, draw: Draw) -> None:
        """Change something, at once or by two requests, of which the second one applies what is pending."""
        name = self._pick(draw)
        accepted = self.walk.call(
            "modify_db_instance", DBInstanceIdentifier=name, ApplyImmediately=draw.flag, **draw.changes
        )
        if accepted and not draw.flag:
            applied = self.walk.call("modify_db_instance", DBInstanceIdentifier=name, ApplyImmediately=True)
            self.walk.instances[name].waits = applied is None

    def rename(self, draw: Draw) -> None:
        """Give an instance another name; what comes next is asked of the new one."""
        old, new = self._pick(draw), self._pick_free(draw)
        accepted = self.walk.call(
            "modify_db_instance", DBInstanceIdentifier=old, NewDBInstanceIdentifier=new, ApplyImmediately=True
        )
        if accepted and new != old:
            self.walk.rename(old, new)

    def reboot(self, draw: Draw) -> None:
        """Reboot, with or without a failover."""
        name = self._pick(draw)
        self.walk.call("reboot_db_instance", DBInstanceIdentifier=name, ForceFailover=draw.flag)

    def replicate(self, draw: Draw) -> None:
        """Make a read replica."""
        name, source = self._pick_free(draw), self._pick(draw)
        accepted = self.walk.call(
            "create_db_instance_read_replica", DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source
        )
        if accepted:
            self.walk.instances[name] = Expected(source=self.walk.instances[source])

    def promote(self, draw: Draw) -> None:
        """Promote a read replica, if there is one."""
        replicas = sorted(name for name, one in self.walk.instances.items() if one.source)
        name = replicas[draw.pick % len(replicas)] if replicas else self._pick(draw)
        if self.walk.call("promote_read_replica", DBInstanceIdentifier=name):
            self.walk.instances[name].part()

    def take_snapshot(self, draw: Draw) -> None:
        """Take a snapshot."""
        name = self._pick(draw)
        accepted = self.walk.call(
            "create_db_snapshot", DBInstanceIdentifier=name, DBSnapshotIdentifier=draw.snapshot
        )
        if accepted:
            taken = self.walk.snapshots[draw.snapshot] = self.walk.instances[name].copy()
            taken.origin = self.walk.instances[name]

    def restore(self, draw: Draw) -> None:
        """Restore a snapshot, if there is one."""
        if not self.walk.snapshots:
            self.take_snapshot(draw)
            return
        name, taken = self._pick_free(draw), sorted(self.walk.snapshots)[draw.pick % len(self.walk.snapshots)]
        accepted = self.walk.call(
            "restore_db_instance_from_db_snapshot",
            DBInstanceIdentifier=name, DBSnapshotIdentifier=taken, MultiAZ=draw.flag,
        )  # fmt: skip
        if accepted:
            self.walk.instances[name] = self.walk.snapshots[taken].copy()

    def stop_or_start(self, draw: Draw) -> None:
        """Stop an instance, or start it if it is stopped."""
        name = self._pick(draw)
        if self.walk.call("start_db_instance", DBInstanceIdentifier=name) is None:
            self.walk.call("stop_db_instance", DBInstanceIdentifier=name)

    def delete(self, draw: Draw) -> None:
        """Delete an instance."""
        name = self._pick(draw)
        if self.walk.call("delete_db_instance", DBInstanceIdentifier=name, SkipFinalSnapshot=True):
            self.walk.instances[name].doomed = True

    def lose(self, draw: Draw) -> None:
        """Lose a machine, or what runs on it, and write meanwhile."""
        name = self._pick(draw)
        if name in self.walk.instances:
            self.walk.break_(draw.kind, name, standby=draw.flag)
            self.walk.write(name)

    def heal(self, _draw: Draw) -> None:
        """Give everything its power back."""
        self.walk.heal()

    def teardown(self) -> None:
        """Heal everything, look for the last time, and leave nothing."""
        try:
            self.walk.heal()
            self.walk.look()
        finally:
            self.walk.clear()


def _run(mirror: tuple[Embedded, Operator], *, walks: int, steps: int) -> None:
    RdsWalk.mirror = mirror
    run_state_machine_as_test(
        RdsWalk,
        settings=settings(
            max_examples=walks, stateful_step_count=steps, deadline=None, print_blob=True,
            phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_a_short_walk(mirror: tuple[Embedded, Operator]) -> None:
    """A few steps of a few walks: measured 0.8 s a step."""
    _run(mirror, walks=4, steps=10)


@pytest.mark.long
def test_long_walks(mirror: tuple[Embedded, Operator]) -> None:
    """The nightly schedule."""
    _run(mirror, walks=25, steps=25)
