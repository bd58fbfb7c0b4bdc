"""The embedded environment: the mirror as a drill sees it. Implements `environment.port.Environment`."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from drdrill.core.clock import SystemClock
from drdrill.core.errors import CommandFailedError, ControlLostError, EnvironmentFailedError
from drdrill.dataplane.kubernetes_background import BackgroundBuild
from drdrill.dataplane.kubernetes_build import prepare_programs
from drdrill.mirror.building import build
from drdrill.mirror.capacity import parse_capacity
from drdrill.mirror.configuration import EmbeddedConfiguration, describe_world
from drdrill.mirror.directory import MirrorDirectory, find_mirror
from drdrill.mirror.fidelity import FIDELITY
from drdrill.mirror.host import program_environment
from drdrill.mirror.inotify import warn_of_shortage
from drdrill.mirror.kept import locate_system
from drdrill.mirror.network import BLACK_HOLE, DNS_ADDRESS
from drdrill.mirror.operator_environment import describe_operator
from drdrill.mirror.prerequisites import require_prerequisites
from drdrill.mirror.sampling import hold_output
from drdrill.mirror.store_states import parse_store
from drdrill.mirror.systems import (
    choose_password,
    deploy_services,
    identify_programs,
    keep_system,
    restore_system,
)
from drdrill.mirror.upstream.localstack import Relay
from drdrill.mirror.world import World, ask_to_end, signal_children, take_down
from drdrill.plan.yaml_file import load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from drdrill.dataplane.kubernetes_build import BuildProgress
    from drdrill.environment.port import Fidelity, RegionCapacity, StoreState
    from drdrill.mirror.configuration import System
    from drdrill.mirror.faults import EmbeddedFaults
    from drdrill.mirror.kept import KeptSystem
    from drdrill.mirror.seed import Seed
    from drdrill.plan.model import Plan

# Measured 2 s for a database, 6 min for everything; clusters wait for the build of Kubernetes.
_BUILD_WITHIN = timedelta(minutes=40)


class Embedded:
    """A mirror that belongs to this process (the default), or a standing one that is attached to."""

    name: ClassVar[str] = "embedded"
    resolver: str = DNS_ADDRESS
    black_hole: str = BLACK_HOLE
    fidelity: ClassVar[tuple[Fidelity, ...]] = FIDELITY

    def __init__(
        self,
        root: Path,
        plan: Plan,
        *,
        name: str | None = None,
        standing: bool = False,
        whole: bool = False,
        seed: Seed | None = None,
        tell: Callable[[str], None] = lambda _: None,
        tell_kubernetes: Callable[[BuildProgress], None] = lambda _: None,
    ) -> None:
        """Take what it is to be; `tell` hears how it comes up, `tell_kubernetes` how its programs are built.

        `whole`: the company's whole system, where its configuration says how that is built, and not what drills of
        databases alone need.
        """
        self._root = root
        self._tell = tell
        self._tell_kubernetes = tell_kubernetes
        self._seed = seed
        self._folder = root / "environments" / self.name
        self._plan = plan
        self._configuration = load_model(self._folder / "environment.yaml", EmbeddedConfiguration)
        self._standing = standing
        self._system = self._configuration.system if whole else None
        self._name = name
        self._attached = False
        self._world: World | None = None
        self._clients: dict[str, subprocess.Popen[bytes]] = {}
        self._held: list[int] = []

    def __repr__(self) -> str:
        return f"Embedded({self._world.directory.name if self._world else 'down'})"

    # -- life ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Bring it up, or attach to the standing mirror that was named."""
        if self._name and not self._standing:
            self._world = World.attach(find_mirror(self._root, self._name))
            self._attached = True
            return self
        require_prerequisites(self._root)
        if self._configuration.kubernetes.needed and self._system is None:
            prepare_programs(self._tell_kubernetes)
        programs = identify_programs(self._system, os.environ) if self._system else ()
        if self._system is not None:
            warn_of_shortage(self._tell)
        directory = find_mirror(self._root, self._name or f"{secrets.token_hex(3)}-{os.getpid()}")
        directory.create()
        try:
            if self._system is None:
                self._start(directory)
                self._build(self._configuration.build)
            else:
                self._raise_system(directory, self._system, programs)
            if self._standing:
                self.world.let_go()
        except BaseException as error:
            for line in directory.last_words():  # the directory is gone a moment later
                self._tell(f"the mirror's log: {line}")
            try:
                self._take_down(directory)
            except Exception as second:  # noqa: BLE001 (clean-up must not hide the first error)
                error.add_note(f"It could not be taken down either: {second}")
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take it down, unless it stands by itself."""
        try:
            self.stop_clients(within=timedelta(seconds=2))
        finally:
            self._let_go_of_outputs()
            if self._world is not None and not self._standing and not self._attached:
                self._take_down(self._world.directory)

    def _take_down(self, directory: MirrorDirectory) -> None:
        if self._world is not None:
            self._world.stop()
            self._world = None
            directory.remove()
        elif directory.path.exists():
            take_down(directory)

    @classmethod
    def attach(cls, control: str) -> EmbeddedFaults:
        """Return the fault port of the mirror behind a control socket, for a process that did not start it."""
        from drdrill.mirror.faults import EmbeddedFaults  # noqa: PLC0415  (as below)

        directory = MirrorDirectory(Path(control).parent)
        if directory.lives():
            return EmbeddedFaults(World.attach(directory), directory)
        # On the operator's host the world's process has another id: there the supervisor's answer is the proof.
        faults = EmbeddedFaults(None, directory)
        faults.read_identity()
        return faults

    @property
    def authorities(self) -> str | None:
        """Return the file with the mirror's own authority, which issues every certificate in it."""
        return str(self.world.directory.path / "authority.pem")

    @property
    def world(self) -> World:
        """The running world; raises `ControlLostError` when it is down."""
        if self._world is None:
            raise ControlLostError("the mirror is not up.")
        return self._world

    @property
    def instance(self) -> str:
        """Return the mirror's name."""
        return self.world.directory.name

    @property
    def control(self) -> str:
        """Return the address of the control socket."""
        return str(self.world.directory.control)

    @property
    def faults(self) -> EmbeddedFaults:
        """Return the fault port."""
        from drdrill.mirror.faults import EmbeddedFaults  # noqa: PLC0415  (0.2 s, while nothing is to be broken)

        return EmbeddedFaults(self.world, self.world.directory)

    def _settings(self) -> dict[str, Any]:
        return describe_world(self._configuration, self._plan, self._folder)

    def _start(self, directory: MirrorDirectory) -> World:
        self._relay = Relay(self._configuration.delegated.upstream)
        self._world = World.start(directory, self._settings(), self._seed)
        self._seed = None
        self._relay.start(directory, self._world.process)
        return self._world

    def _raise_system(self, directory: MirrorDirectory, system: System, programs: Sequence[str]) -> None:
        """Make the whole system of what was kept of it; where there is nothing, build it, and keep it.

        Kubernetes' programs are built meanwhile where they are not there: only clusters wait for them.
        """
        script = self._folder / system.build
        read = [script, *(self._folder / each for each in system.built_from)]
        kept = locate_system(self._settings(), read, programs)
        with kept.hold(), BackgroundBuild(self._tell_kubernetes) as kubernetes:
            if not self._restore_system(directory, kept, kubernetes):
                self._tell("building the system, once on this machine")
                self._build(system.build, beside=kubernetes.programs)
                kubernetes.programs.result()
                keep_system(self.world, kept, self._tell)
        deploy_services(self.world, system, self._run_script, self._tell)

    def _restore_system(
        self, directory: MirrorDirectory, kept: KeptSystem, kubernetes: BackgroundBuild
    ) -> bool:
        """Start a world, and make in it what was kept; false: in the world that there is now nothing stands."""
        there, found = kept.path.exists(), kept.find()
        world = self._start(directory)
        if found is None:
            if there:
                self._tell("what was kept of this system is damaged")
            return False
        kubernetes.programs.result()  # there is nothing else that would take as long
        self._tell("making the system again of what was kept of it")
        try:
            restore_system(world, found)
        except EnvironmentFailedError as error:
            self._tell(f"what was kept of this system cannot be used: {error}")
            self._take_down(directory)
            directory.create()
            self._start(directory)
            return False
        return True

    def _build(self, script: str, beside: Future[Any] | None = None) -> None:
        choose_password(self.world)
        self._run_script(script, "build.log", beside)

    def _run_script(self, script: str, log: str, beside: Future[Any] | None = None) -> None:
        """Run a script of the company on the operator's host: it asks AWS's API as an operator does."""
        build(
            self.operator_command([sys.executable, str(self._folder / script)]),
            script=self._folder / script,
            environment=self.operator_environment(),
            log=self.world.directory.logs / log,
            within=_BUILD_WITHIN,
            tell=self._tell,
            beside=beside,
        )

    # -- for operators and users -----------------------------------------------------------------------------

    def operator_environment(self) -> dict[str, str]:
        """Return the environment of a program on the operator's host: credentials and places, no endpoint setting."""
        return describe_operator(self.world.directory, self._root, self._plan, environment=self.name)

    def operator_command(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs `command` on the operator's host."""
        return [*self.world.entry("operator"), *command]

    def run_for_operator(
        self,
        command: Sequence[str],
        *,
        within: timedelta,
        output: Path | None = None,
        errors: Path | None = None,
        grace: timedelta = timedelta(),
    ) -> str:
        """Run a command on the operator's host and return what it wrote, or write it to `output` (and `errors`)."""
        entered = self.operator_command(command)
        with (output or Path(os.devnull)).open("wb") as file, (errors or Path(os.devnull)).open("wb") as said:
            process = subprocess.Popen(
                entered, stdin=subprocess.DEVNULL, stdout=file if output else subprocess.PIPE,
                stderr=said if errors else subprocess.PIPE, env=self.operator_environment(), cwd="/",
                start_new_session=True,
            )  # fmt: skip
            with process:
                try:
                    out, err = process.communicate(timeout=within.total_seconds())
                except BaseException as error:
                    ask_to_end(process, grace)
                    # The program itself, too, and not only what brought it there: it would go on changing things.
                    signal_children(process, signal.SIGKILL)
                    process.kill()
                    out, err = process.communicate()
                    if not isinstance(error, subprocess.TimeoutExpired):
                        raise
                    told = (errors.read_bytes() if errors else err or b"").decode(errors="replace")
                    ended = f"{told}\nended by us after {within.total_seconds():g} s"
                    raise CommandFailedError(command, -9, ended) from error
        if process.returncode:
            self._require_life()
            told_whole = (out or b"") + (errors.read_bytes() if errors else err)
            raise CommandFailedError(command, process.returncode, told_whole.decode(errors="replace"))
        return (out or b"").decode(errors="replace")

    def start_client(self, name: str, command: Sequence[str], *, log: Path, zone: str | None = None) -> None:
        """Start a client's process on the users' host, or on a machine in a zone that belongs to no database.

        It ends when this process does, by the pipe at its input.
        """
        directory = self.world.directory
        host = self.world.control.ask("bystander", zone=zone)["host"] if zone else "users"
        secret = (directory.secrets / "database-password").read_text(encoding="ascii")
        environment = program_environment(directory.disks / host, {"PGPASSWORD": secret})
        with log.open("ab") as stream:
            self._clients[name] = subprocess.Popen(
                [*self.world.entry(host), *command], stdin=subprocess.PIPE, stdout=stream,
                stderr=subprocess.STDOUT, env=environment, cwd="/", start_new_session=True,
            )  # fmt: skip

    def stop_clients(self, *, within: timedelta) -> Mapping[str, int]:
        """Ask all clients to end, wait for them, kill those that do not, and return their exit statuses."""
        clients, self._clients = self._clients, {}
        for process in clients.values():
            signal_children(process, signal.SIGTERM)
        deadline = SystemClock().now_ns() + int(within.total_seconds() * 1e9)
        for process in clients.values():
            try:
                process.wait(max(0.0, (deadline - SystemClock().now_ns()) / 1e9))
            except subprocess.TimeoutExpired:
                signal_children(process, signal.SIGKILL)
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        return {name: process.returncode for name, process in clients.items()}

    def observe_clients(self) -> Mapping[str, bool]:
        """Return for each started client whether its process runs; raises `ControlLostError` when the mirror ended."""
        running = {name: process.poll() is None for name, process in self._clients.items()}
        if not all(running.values()):
            self._require_life()
        return running

    def _require_life(self) -> None:
        """Raise `ControlLostError` when the whole mirror ended: then that is what happened, not what a program says."""
        self.world.control.ask("identity")

    # -- looking ---------------------------------------------------------------------------------------------

    def observe_store(self, resource: str) -> StoreState:
        """Look at a store's members."""
        return parse_store(self.world.control.ask("store", resource=resource))

    def observe_capacity(self) -> Mapping[str, RegionCapacity]:
        """Look at the clusters of each region."""
        said = self.world.control.ask("capacity")["regions"]
        return {name: parse_capacity(region) for name, region in said.items()}

    def observe_restore(self, resource: str) -> Mapping[str, Any]:
        """Look at what a store was restored from."""
        return self.world.control.ask("restore", resource=resource)

    def start_sampling(self, resource: str, output: Path) -> None:
        """Begin to append readings of a store's replication to `output`, which this process holds until it ends."""
        self._held.append(hold_output(output))
        self.world.control.ask("start_sampling", resource=resource, output=str(output))

    def stop_sampling(self) -> None:
        """End all sampling."""
        try:
            self.world.control.ask("stop_sampling")
        finally:
            self._let_go_of_outputs()

    def start_call_record(self, output: Path) -> None:
        """Begin to append what operators call to `output`, which this process holds until it ends."""
        self._held.append(hold_output(output))
        self.world.control.ask("start_call_record", output=str(output))

    def stop_call_record(self) -> None:
        """Record no call any more."""
        self.world.control.ask("stop_call_record")

    def save_log(self, output: Path) -> None:
        """Write what the supervisor logged; nothing where that cannot be read."""
        with contextlib.suppress(OSError):
            shutil.copyfile(self.world.directory.supervisor_log, output)

    def _let_go_of_outputs(self) -> None:
        while self._held:
            os.close(self._held.pop())
