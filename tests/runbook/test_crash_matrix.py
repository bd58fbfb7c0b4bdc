"""An executor that dies at any moment of a failover and is run again: same end, nothing twice, never two writers.

The model is in `two_databases`: there every call asserts what may never be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drdrill.core.clock import NANOSECONDS
from drdrill.record.journal import read_journal
from drdrill.runbook.executor import Executor, read_approvals
from tests.runbook.mortal import Killed, MortalJournal
from tests.runbook.two_databases import FAILOVER, NEW_TAKES, OLD_REFUSES, Modelled, Regions, make_failover

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.plan.runbook import Work
    from drdrill.runbook.state import Result
    from tests.runbook.two_databases import Program

ALL_FACTS = sorted(fact for step in FAILOVER.values() for fact in step.facts)
ACTIONS = sorted(name for name, step in FAILOVER.items() if step.facts)
# Of an undisturbed journal: begun and ended as a whole and for each step; what is done, and seen; who was asked.
LINES = 2 + 2 * len(FAILOVER) + 3 * len(ACTIONS) + 2 * (len(FAILOVER) - len(ACTIONS))
HALF_A_LINE = b'{"v":1,"seq":7,"at_'


@dataclass(frozen=True)
class Death:
    """An end of the executor: at which of its calls, with its host or alone, in the middle of a line of the journal."""

    call: int
    host: bool = False
    torn: bool = False
    pause_seconds: float = 0  # until it is run again


# Run again at once, while what was started runs on; when that has ended; and after all that ran there died with it.
KINDS = {
    "at once": Death(0),
    "later": Death(0, torn=True, pause_seconds=30),
    "with its host": Death(0, host=True, torn=True),
}


def run(regions: Regions, folder: Path, *, interrupted_after: float | None = None) -> Result:
    """Run the failover, or go on with it."""

    def is_interrupted() -> bool:
        return interrupted_after is not None and regions.clock.at_ns >= interrupted_after * NANOSECONDS

    path = folder / "journal.jsonl"
    regions.approved = read_approvals(path)
    journal = MortalJournal(path, regions.clock, regions.touch)
    return Executor(
        make_failover(regions.steps),
        operator=regions,
        gates=regions,
        journal=journal,
        clock=regions.clock,
        is_interrupted=is_interrupted,
    ).run()


def die_and_go_on(folder: Path, *deaths: Death, regions: Regions | None = None) -> Regions:
    """Run it with these deaths, one run after the other, and then to its end; return what has become of the world."""
    folder.mkdir()
    world = Regions() if regions is None else regions
    for death in deaths:
        world.dies_at = world.calls + death.call
        try:
            run(world, folder)
        except Killed:
            world.die(host=death.host)
            if death.torn:
                with (folder / "journal.jsonl").open("ab") as stream:
                    stream.write(HALF_A_LINE)
        world.clock.sleep(death.pause_seconds)
    world.dies_at = None
    check_end(world, folder)
    return world


def check_end(world: Regions, folder: Path) -> None:
    """Go on to the end, and demand the end state and a whole journal."""
    assert run(world, folder).done
    assert sorted(world.facts) == ALL_FACTS
    assert read_journal(folder / "journal.jsonl")[-1].data["done"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Regions:
    """Return a world in which nobody died: its calls are those at which one can."""
    world = Regions()
    assert run(world, tmp_path_factory.mktemp("undisturbed")).done
    assert sorted(world.facts) == ALL_FACTS
    return world


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_killed_at_every_boundary(undisturbed: Regions, tmp_path: Path, kind: Death) -> None:
    """Killed after any line of its journal, or any program begun, it comes to the same end when run again.

    Before one of them is as after the one before: in between nothing happens that lasts.
    """
    assert len(undisturbed.boundaries) == LINES + len(ACTIONS)
    for call in undisturbed.boundaries:
        world = die_and_go_on(tmp_path / str(call), replace(kind, call=call))
        if not kind.host:  # nothing that was begun is lost, and so nothing is begun twice
            assert sorted(one.step for one in world.programs) == ACTIONS


@given(
    deaths=st.lists(
        st.builds(
            Death,
            call=st.integers(1, 220),
            host=st.booleans(),
            torn=st.booleans(),
            pause_seconds=st.sampled_from([0, 0.1, 0.5, 2, 90]),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_killed_inside_of_steps_again_and_again(
    tmp_path_factory: pytest.TempPathFactory, deaths: list[Death]
) -> None:
    """Killed in the middle of anything, several times, alone or with all that ran, it comes to the same end."""
    world = die_and_go_on(tmp_path_factory.mktemp("killed") / "run", *deaths)
    if not any(death.host for death in deaths):
        assert sorted(one.step for one in world.programs) == ACTIONS


def test_interrupted_at_any_time(undisturbed: Regions, tmp_path: Path) -> None:
    """Ctrl-C at each tenth of a second ends at once what runs; run again, it comes to the same end."""
    tenth_ns = NANOSECONDS // 10
    for tenth in range(undisturbed.clock.at_ns // tenth_ns):
        folder, world = tmp_path / str(tenth), Regions()
        folder.mkdir()
        result = run(world, folder, interrupted_after=tenth / 10)
        assert result.interrupted
        assert world.clock.at_ns - tenth * tenth_ns <= tenth_ns
        assert not any(one.runs() for one in world.programs)
        assert not any(fate.state.is_running for fate in result.fates)
        check_end(world, folder)


def test_a_failover_that_does_not_wait_for_its_fence_is_caught(tmp_path: Path) -> None:
    """The model tells of two writers: the matrix would see them."""
    steps = {**FAILOVER, "database": Modelled(("detection",), FAILOVER["database"].facts)}
    with pytest.raises(AssertionError, match="two databases take writes"):
        die_and_go_on(tmp_path / "run", regions=Regions(steps=steps))


class Forgetful(Regions):
    """An operator's host that does not know what an earlier executor started: that one dies as it begins a step."""

    def act(self, step: str, work: Work) -> Program:
        """Start an action, and have the first executor die with the database's."""
        first = not any(one.step == "database" for one in self.programs)
        program = super().act(step, work)
        if first and step == "database":
            self.dies_at = self.calls
            self.touch()
        return program

    def still_acts(self, step: str) -> bool:
        """Say that nothing runs."""
        super().still_acts(step)
        return False


def test_an_executor_that_does_not_wait_for_what_lives_on_is_caught(tmp_path: Path) -> None:
    """The model tells of two programs of one step: the matrix would see them."""
    world = Forgetful()
    with pytest.raises(Killed):
        run(world, tmp_path)
    world.dies_at = None
    with pytest.raises(AssertionError, match="database runs already"):
        run(world, tmp_path)


def test_the_order_of_writers(undisturbed: Regions) -> None:
    """Undisturbed, the old database refuses writes before the new one takes them."""
    assert undisturbed.facts.index(OLD_REFUSES) < undisturbed.facts.index(NEW_TAKES)


def test_run_once_more_when_all_is_done(tmp_path: Path) -> None:
    """What is seen to be done is not begun again, and who approved is not asked again."""
    world = die_and_go_on(tmp_path / "run")
    begun = len(world.programs)
    check_end(world, tmp_path / "run")
    assert len(world.programs) == begun
