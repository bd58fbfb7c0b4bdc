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

from drdrill.aws.rds.model import ACCOUNT
from drdrill.core.waiting import wait_until
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.live.walk import AT_REST_WITHIN, EVERY, FAR, REGION, Expected, Walk
from tests.live.walker import DATABASE, PASSWORD, USER, Operator
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
    "heal": 3, "lose": 5, "modify": 3, "reboot": 3, "replicate": 4, "promote": 3, "restore": 2, "take_snapshot": 2,
    "create": 2, "rename": 2, "stop_or_start": 2, "delete": 1, "cut_link": 2,
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


def create(walk: Walk, name: str, *, multi_az: bool) -> None:
    """Ask for a new instance."""
    accepted = walk.call(
        "create_db_instance", DBInstanceIdentifier=name, DBInstanceClass="db.r6g.large", Engine="postgres",
        AllocatedStorage=20, DBName=DATABASE, MasterUsername=USER, MasterUserPassword=PASSWORD, MultiAZ=multi_az,
    )  # fmt: skip
    if accepted:
        walk.instances[name] = Expected()


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
        create(self.walk, NAMES[0], multi_az=draw.pick > 3)
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

    def create(self, draw: Draw) -> None:
        """Make an instance."""
        create(self.walk, self._pick_free(draw), multi_az=draw.flag)

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
        if self._is_elsewhere(new, self.walk.region_of(old)):
            return
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
        """Make a read replica, in the source's region or in another one."""
        name, source = self._pick_free(draw), self._pick(draw)
        home, region = self.walk.region_of(source), FAR if draw.flag else REGION
        if self._is_elsewhere(name, region):
            return
        following: dict[str, str] = {"SourceDBInstanceIdentifier": source}
        if home != region:
            arn = f"arn:aws:rds:{home}:{ACCOUNT}:db:{source}"
            following = {"SourceDBInstanceIdentifier": arn, "SourceRegion": home}
        accepted = self.walk.call(
            "create_db_instance_read_replica", region=region, DBInstanceIdentifier=name, **following
        )
        if accepted:
            self.walk.instances[name] = Expected(
                source=self.walk.instances[source],
                region=region,
                excused=bool(self.walk.broken or self.walk.cut),
            )

    def _is_elsewhere(self, name: str, region: str) -> bool:
        """Tell whether a name is one of another region: the walk knows an instance by its name alone."""
        return name in self.walk.instances and self.walk.region_of(name) != region

    def cut_link(self, draw: Draw) -> None:
        """Cut the link to the other region, or the one back, and write what does not come over."""
        self.walk.cut_link(*((REGION, FAR) if draw.pick < WRONG - 2 else (FAR, REGION)))
        self._pick(draw)

    def promote(self, draw: Draw) -> None:
        """Promote a read replica, if there is one."""
        replicas = sorted(name for name, one in self.walk.instances.items() if one.source)
        name = replicas[draw.pick % len(replicas)] if replicas else self._pick(draw)
        if self.walk.call("promote_read_replica", DBInstanceIdentifier=name):
            self.walk.instances[name].part()

    def take_snapshot(self, draw: Draw) -> None:
        """Take a snapshot."""
        name, held = self._pick(draw), self.walk.snapshots.get(draw.snapshot)
        if held is not None and held.region != self.walk.region_of(name):
            return  # the walk knows a snapshot by its name alone
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
        region = self.walk.snapshots[taken].region
        if self._is_elsewhere(name, region):
            return
        accepted = self.walk.call(
            "restore_db_instance_from_db_snapshot", region=region,
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


@pytest.mark.parametrize("number", [1, 2], ids=["primary", "standby"])
def test_a_machine_lost_while_an_instance_is_made(mirror: tuple[Embedded, Operator], number: int) -> None:
    """Another machine takes its place: the instance is `creating` until it has both, and never `failed`.

    Amazon RDS features, "Automatic host replacement": https://aws.amazon.com/rds/features/
    """
    walk = Walk.begin(*mirror)
    try:
        create(walk, NAMES[0], multi_az=True)
        wait_until(
            lambda: len(walk.hosts_of(NAMES[0])) == number,
            what="a machine of the new instance", within=AT_REST_WITHIN, every=EVERY / 10,
        )  # fmt: skip
        lost = walk.hosts_of(NAMES[0])[-1]["host"]
        walk.environment.world.control.ask("power_off", host=lost)
        assert walk.describe()[NAMES[0]]["DBInstanceStatus"] == "creating"
        walk.look()
        assert walk.describe()[NAMES[0]]["DBInstanceStatus"] == "available"
        assert lost not in {one["host"] for one in walk.stores()[NAMES[0]]["members"]}
        walk.write(NAMES[0])
        assert walk.instances[NAMES[0]].must
    finally:
        walk.clear()


def test_a_short_walk(mirror: tuple[Embedded, Operator]) -> None:
    """A few steps of a few walks: measured 0.8 s a step."""
    _run(mirror, walks=4, steps=10)


@pytest.mark.long
def test_long_walks(mirror: tuple[Embedded, Operator]) -> None:
    """The nightly schedule."""
    _run(mirror, walks=25, steps=25)
