"""Containers: what their programs see, how they end, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from tests.mirror.kubernetes.node import EVERY, PYTHON, WITHIN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mirror.kubernetes.node import Node

_OWN = cri.NamespaceOption(pid=cri.CONTAINER)


def _linux(limit: int = 0, **fields: Any) -> cri.LinuxContainerConfig:
    context = cri.LinuxContainerSecurityContext(namespace_options=_OWN, **fields)
    resources = cri.LinuxContainerResources(memory_limit_in_bytes=limit)
    return cri.LinuxContainerConfig(security_context=context, resources=resources)


@pytest.fixture(scope="module")
def pod(node: Node) -> str:
    """Return a pod for the containers of this module."""
    return node.run_pod("main")


def test_command_and_args_of_a_pod_replace_those_of_the_image(node: Node, pod: str) -> None:
    """Kubernetes' table: nothing given, args given, command given, both given."""
    node.write_catalogue({"echo": {"command": ["/bin/echo", "image"], "args": ["arguments"]}})
    said = []
    for index, (command, args) in enumerate(
        [((), ()), ((), ("mine",)), (("/bin/echo", "own"), ()), (("/bin/echo", "own"), ("mine",))]
    ):
        container = node.start(pod, *command, image="echo", name=f"echo{index}", args=args)
        node.await_exit(container)
        said.append(node.log_lines(container)[0][3])
    assert said == ["image arguments", "image mine", "own", "own mine"]
    node.write_catalogue({"shop/api": {"command": ["/bin/sleep"], "args": ["1000"]}})


def test_a_program_sees_its_environment_and_nothing_of_the_nodes(node: Node, pod: str) -> None:
    """The image's variables, overridden by the pod's; and no variable of the runtime but the path."""
    node.write_catalogue({"env": {"command": ["/usr/bin/env"], "environment": {"A": "image", "B": "image"}}})
    container = node.start(pod, image="env", name="env", envs=[cri.KeyValue(key="B", value="pod")])
    node.await_exit(container)
    variables = dict(line[3].split("=", 1) for line in node.log_lines(container))
    assert variables.pop("PATH")
    assert variables == {"A": "image", "B": "pod", "HOME": "/root", "HOSTNAME": "main"}
    node.write_catalogue({"shop/api": {"command": ["/bin/sleep"], "args": ["1000"]}})


def test_what_a_container_writes_reaches_neither_the_machine_nor_another_container(
    node: Node, pod: str, tmp_path: Path
) -> None:
    """Each has the machine's folders copied on write, its own /tmp, and keeps what it wrote until it ends."""
    first = node.start(pod, "/bin/sleep", "100", name="writer")
    second = node.start(pod, "/bin/sleep", "100", name="reader")
    for path in ("/etc/drdrill-wrote", "/usr/drdrill-wrote", "/var/drdrill-wrote"):
        node.say(first, "/bin/touch", path)
        assert node.say(first, "/bin/ls", path) == f"{path}\n"
        assert node.execute(second, "/bin/ls", path).exit_code == 2
        assert node.run("ls", path.rpartition("/")[0]).find("drdrill-wrote") == -1
    assert node.say(first, "/bin/ls", "/tmp") == ""  # noqa: S108
    assert tmp_path.exists()


def test_a_root_that_is_read_only_refuses_writes(node: Node, pod: str) -> None:
    """With readOnlyRootFilesystem the machine's folders refuse; a volume and /tmp do not."""
    folder = node.directory / "volume"
    folder.mkdir()
    mounts = [cri.Mount(container_path=path, host_path=str(folder)) for path in ("/data", "/etc/not/there")]
    container = node.start(
        pod, "/bin/sleep", "100", name="readonly", linux=_linux(readonly_rootfs=True), mounts=mounts
    )
    for path in ("/etc/x", "/x", "/usr/x"):
        refused = node.execute(container, "/bin/touch", path)
        assert b"Read-only file system" in refused.stderr
    node.say(container, "/bin/touch", "/data/kept")
    assert node.say(container, "/bin/ls", "/etc/not/there") == "kept\n"
    assert (folder / "kept").exists()


def test_volumes_are_shown_where_the_kubelet_says(node: Node, pod: str) -> None:
    """A folder in a place that the machine lacks, a single file, one inside another, a read-only one, a live change."""
    outer, inner = node.directory / "outer", node.directory / "inner"
    for folder in (outer, inner):
        folder.mkdir()
    (inner / "token").write_text("one", encoding="utf-8")
    mounts = [
        cri.Mount(container_path="/var/run/secrets/deep/inner", host_path=str(inner), readonly=True),
        cri.Mount(container_path="/var/run/secrets/deep", host_path=str(outer)),
        cri.Mount(container_path="/etc/single", host_path=str(inner / "token"), readonly=True),
    ]
    container = node.start(pod, "/bin/sleep", "100", name="volumes", mounts=mounts)
    assert node.say(container, "/bin/cat", "/var/run/secrets/deep/inner/token") == "one"
    assert node.say(container, "/bin/cat", "/etc/single") == "one"
    (inner / "token").write_text("two", encoding="utf-8")
    assert node.say(container, "/bin/cat", "/run/secrets/deep/inner/token") == "two"
    refused = node.execute(container, "/bin/touch", "/var/run/secrets/deep/inner/x")
    assert b"Read-only file system" in refused.stderr
    node.say(container, "/bin/touch", "/var/run/secrets/deep/written")
    assert (outer / "written").exists()


def test_a_program_runs_as_the_user_that_is_asked_for_without_capabilities(node: Node, pod: str) -> None:
    """RunAsUser changes what the program and commands beside it are; capabilities are containerd's for user 0."""
    user = node.start(
        pod, "/bin/sleep", "100", name="user",
        linux=_linux(run_as_user=cri.Int64Value(value=1000), run_as_group=cri.Int64Value(value=2000)),
    )  # fmt: skip
    root = node.start(pod, "/bin/sleep", "100", name="root")
    assert node.say(user, "/usr/bin/id", "-u", "-r") == "1000\n"
    assert node.say(user, "/usr/bin/id", "-g", "-r") == "2000\n"
    assert "CapEff:\t0000000000000000" in node.say(user, "/bin/cat", "/proc/1/status")
    assert "CapEff:\t00000000a80425fb" in node.say(root, "/bin/cat", "/proc/1/status")
    assert "CapEff:\t00000000a80425fb" in node.say(root, "/bin/cat", "/proc/self/status")
    assert node.status(user).user.linux.uid == 1000


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        ("exit 0", 0, "Completed"),
        ("exit 7", 7, "Error"),
        ("kill -9 $$; kill -ABRT $$; sleep 9", 137, "Error"),
    ],
)
def test_the_end_of_a_program_is_told_as_kubernetes_shows_it(
    node: Node, pod: str, script: str, code: int, reason: str
) -> None:
    """Exit code and reason of a program that ends well, badly, or by a signal from outside its namespace."""
    container = node.start(pod, "/bin/sh", "-c", f"read x </dev/null; {script}", name=f"ends{code}")
    if (
        code == 137
    ):  # the first process of a PID namespace cannot kill itself: it goes on, as in a real container
        assert node.status(container).state == cri.CONTAINER_RUNNING
        node.ask("StopContainer", cri.StopContainerRequest(container_id=container, timeout=0))
    status = node.await_exit(container)
    assert (status.exit_code, status.reason) == (code, reason)
    assert status.created_at <= status.started_at <= status.finished_at


def test_stopping_gives_grace_and_then_kills(node: Node, pod: str) -> None:
    """A program that handles SIGTERM ends by itself; one that does not is killed with all its children."""
    kind = node.start(pod, "/bin/sh", "-c", "trap 'echo bye; exit 3' TERM; sleep 100 & wait", name="kind")
    deaf = node.start(pod, "/bin/sh", "-c", "trap '' TERM; sleep 7654 & wait; sleep 100", name="deaf")
    own = node.start(pod, PYTHON, "-I", "-c", _STOPPED_BY_INT, name="own", stop_signal=cri.SIGINT)
    wait_until(lambda: node.log_lines(own), what="a handler", within=WITHIN, every=EVERY)
    for container, seconds in ((kind, 20), (deaf, 1), (own, 20)):
        node.ask("StopContainer", cri.StopContainerRequest(container_id=container, timeout=seconds))
    assert [node.status(one).exit_code for one in (kind, deaf, own)] == [3, 137, 5]
    assert node.log_lines(kind)[-1][3] == "bye"
    assert not node.find_processes("sleep\0007654")


_STOPPED_BY_INT = (
    "import signal, sys\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(5))\nprint('ready', flush=True)\n"
    "signal.pause()"
)


def test_verbs_of_containers_may_be_repeated(node: Node, pod: str) -> None:
    """Stopping what has ended and removing what is gone succeed; starting twice is refused; logs stay."""
    container = node.start(pod, "/bin/echo", "said", name="repeated")
    node.await_exit(container)
    log = node.status(container).log_path
    with pytest.raises(grpc.RpcError) as refusal:
        node.ask("StartContainer", cri.StartContainerRequest(container_id=container))
    assert refusal.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    for _ in range(2):
        node.ask("StopContainer", cri.StopContainerRequest(container_id=container, timeout=9))
    for _ in range(2):
        node.ask("RemoveContainer", cri.RemoveContainerRequest(container_id=container))
    node.ask("StopContainer", cri.StopContainerRequest(container_id=container))
    assert "said" in node.run("cat", log)
    never = node.create(pod, "/bin/true", name="never")
    assert node.status(never).state == cri.CONTAINER_CREATED
    node.ask("RemoveContainer", cri.RemoveContainerRequest(container_id=never))


def test_removing_kills_what_runs(node: Node, pod: str) -> None:
    """RemoveContainer of a running container ends it by force."""
    container = node.start(pod, "/bin/sleep", "8765", name="removed")
    node.ask("RemoveContainer", cri.RemoveContainerRequest(container_id=container))
    assert not node.find_processes("sleep\0008765")


def test_a_program_that_cannot_be_started_is_told_in_runc_words(node: Node, pod: str) -> None:
    """The start fails with the reason, and the container shows StartError and 128."""
    container = node.create(pod, "no-such-program", name="missing")
    with pytest.raises(grpc.RpcError) as refusal:
        node.ask("StartContainer", cri.StartContainerRequest(container_id=container))
    assert 'exec: "no-such-program": executable file not found in $PATH' in refusal.value.details()
    status = node.status(container)
    assert (status.state, status.exit_code, status.reason) == (cri.CONTAINER_EXITED, 128, "StartError")
    assert "no-such-program" in status.message


def test_a_command_beside_the_program_has_streams_code_and_a_deadline(node: Node, pod: str) -> None:
    """ExecSync tells output, errors and exit code; one that is late is killed and DEADLINE_EXCEEDED."""
    container = node.start(pod, "/bin/sleep", "100", name="beside", working_dir="/usr")
    done = node.execute(container, "/bin/sh", "-c", "pwd; echo wrong >&2; exit 4")
    assert (done.stdout, done.stderr, done.exit_code) == (b"/usr\n", b"wrong\n", 4)
    large = node.execute(container, "/bin/sh", "-c", "head -c 300000 /dev/zero")
    assert len(large.stdout) == 300_000
    with pytest.raises(grpc.RpcError) as refusal:
        node.execute(container, "/bin/sleep", "5432", timeout=1)
    assert refusal.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    wait_until(lambda: not node.find_processes("sleep\0005432"), what="its end", within=WITHIN, every=EVERY)
    with pytest.raises(grpc.RpcError) as refusal:
        node.execute(container, "no-such-program")
    assert "executable file not found" in refusal.value.details()
    assert node.status(container).state == cri.CONTAINER_RUNNING


def test_more_memory_than_the_limit_is_oom_killed(node: Node, pod: str) -> None:
    """A container whose child takes more than its limit is killed: 137 and OOMKilled; one within it goes on."""
    hungry = "import time; taken = bytearray(96 << 20); time.sleep(1000)"
    script = f"{PYTHON} -I -c '{hungry}' & wait"
    within = node.start(pod, "/bin/sh", "-c", script, name="within", linux=_linux(limit=400 << 20))
    beyond = node.start(pod, "/bin/sh", "-c", script, name="beyond", linux=_linux(limit=48 << 20))
    status = node.await_exit(beyond)
    assert (status.exit_code, status.reason) == (137, "OOMKilled")

    stats = node.ask("ContainerStats", cri.ContainerStatsRequest(container_id=within)).stats
    assert 90 << 20 < stats.memory.working_set_bytes.value < 200 << 20
    assert stats.cpu.usage_core_nano_seconds.value > 0
    pods = node.ask("ListPodSandboxStats", cri.ListPodSandboxStatsRequest()).stats
    (mine,) = (one for one in pods if one.attributes.id == pod)
    assert mine.linux.memory.working_set_bytes.value >= stats.memory.working_set_bytes.value
    assert within in {one.attributes.id for one in mine.linux.containers}

    limit = cri.LinuxContainerResources(memory_limit_in_bytes=48 << 20)
    request = cri.UpdateContainerResourcesRequest(container_id=within, linux=limit)
    node.ask("UpdateContainerResources", request)
    assert node.await_exit(within).reason == "OOMKilled"


def test_the_log_has_parts_and_is_rotated(node: Node, pod: str) -> None:
    """Long lines come in parts, both streams are told apart, a renamed log goes on in a new file."""
    first = "head -c 20000 /dev/zero | tr '\\0' x; echo; echo wrong >&2"
    script = f"mkfifo /tmp/go; exec 0<>/tmp/go; {first}; read line; echo after; read line; printf end"
    container = node.start(pod, "/bin/sh", "-c", script, name="log")
    wait_until(lambda: len(node.log_lines(container)) == 3, what="three lines", within=WITHIN, every=EVERY)
    lines = node.log_lines(container)
    out = [line for line in lines if line[1] == "stdout"]
    assert [(line[2], len(line[3])) for line in out] == [("P", 16384), ("F", 20000 - 16384)]
    assert [line[2:] for line in lines if line[1] == "stderr"] == [["F", "wrong"]]

    path = node.status(container).log_path
    node.run("mv", path, f"{path}.1")
    node.ask("ReopenContainerLog", cri.ReopenContainerLogRequest(container_id=container))
    node.execute(container, "/bin/sh", "-c", "printf '\\n\\n' >/tmp/go")
    node.await_exit(container)
    assert [line[1:] for line in node.log_lines(container)] == [
        ["stdout", "F", "after"],
        ["stdout", "P", "end"],
    ]
    with pytest.raises(grpc.RpcError) as refusal:
        node.ask("ReopenContainerLog", cri.ReopenContainerLogRequest(container_id=container))
    assert refusal.value.code() == grpc.StatusCode.FAILED_PRECONDITION
