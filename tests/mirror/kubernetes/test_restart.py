"""A runtime that is killed and starts again: what ran goes on, and is known."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from tests.mirror.kubernetes.node import EVERY, WITHIN, Node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Return a node of one test's own."""
    made = Node(tmp_path)
    try:
        made.boot()
        made.start_runtime()
        yield made
    finally:
        made.stop()


def _read_address(node: Node, pod: str) -> str:
    request = cri.PodSandboxStatusRequest(pod_sandbox_id=pod)
    return str(node.ask("PodSandboxStatus", request).status.network.ip)


def test_running_pods_are_found_again_and_obey(node: Node) -> None:
    """Killed with SIGKILL, the runtime leaves pods running: same process, log, address; then they can be stopped."""
    pod = node.run_pod()
    running = node.start(
        pod, "/bin/sh", "-c", "echo before; sleep 2; echo after; exec sleep 1000", name="runs"
    )
    ends = node.start(pod, "/bin/sh", "-c", "sleep 0.3; exit 6", name="ends")
    created = node.create(pod, "/bin/true", name="created")
    address, before = _read_address(node, pod), node.status(running)

    node.kill_runtime()
    exit_note = node.state / "containers" / ends / "exit.json"
    wait_until(exit_note.exists, what="an end that no runtime saw", within=WITHIN, every=EVERY)
    node.start_runtime()

    assert node.status(running) == before
    assert _read_address(node, pod) == address
    assert (node.status(ends).exit_code, node.status(ends).reason) == (6, "Error")
    assert node.status(created).state == cri.CONTAINER_CREATED
    wait_until(lambda: len(node.log_lines(running)) == 2, what="a later line", within=WITHIN, every=EVERY)
    assert node.say(running, "/bin/echo", "still") == "still\n"
    assert _read_address(node, node.run_pod("next")) != address
    node.ask("StartContainer", cri.StartContainerRequest(container_id=created))
    node.ask("StopContainer", cri.StopContainerRequest(container_id=running, timeout=0))
    assert node.status(running).exit_code == 137
    node.ask("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod))


def test_a_keeper_that_is_killed_takes_its_containers_along(node: Node) -> None:
    """The kernel ends them; the pod is not ready and its container's end is unknown: 255."""
    pod = node.run_pod()
    container = node.start(pod, "/bin/sleep", "6543")
    keeper = json.loads((node.state / "pods" / pod / "pod.json").read_text(encoding="utf-8"))["keeper"][0]
    node.run("kill", "-9", str(keeper))

    status = node.await_exit(container)
    assert (status.exit_code, status.reason) == (255, "Unknown")
    wait_until(lambda: not node.find_processes("sleep\0006543"), what="its end", within=WITHIN, every=EVERY)
    request = cri.PodSandboxStatusRequest(pod_sandbox_id=pod)
    assert node.ask("PodSandboxStatus", request).status.state == cri.SANDBOX_NOTREADY
    node.ask("StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=pod))
    node.ask("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod))


def test_after_a_power_cut_the_pods_are_known_and_do_not_run(node: Node) -> None:
    """Process ids begin anew in a booted node: what has the same number is not taken for the old pod."""
    pod = node.run_pod()
    container = node.start(pod, "/bin/sleep", "1000")
    node.stop()
    node.boot()
    node.start_runtime()

    request = cri.PodSandboxStatusRequest(pod_sandbox_id=pod)
    assert node.ask("PodSandboxStatus", request).status.state == cri.SANDBOX_NOTREADY
    assert node.status(container).exit_code == 255
    other = node.run_pod("fresh")
    assert node.say(node.start(other, "/bin/sleep", "100"), "/bin/echo", "works") == "works\n"
    node.ask("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod))


def test_the_end_of_the_node_ends_every_process_of_its_pods(node: Node) -> None:
    """Nothing is left of keepers and containers when the node's first process is killed."""
    node.start(node.run_pod(), "/bin/sh", "-c", "setsid sleep 7531 & exec sleep 7532")
    ours = wait_until(
        lambda: len(found := node.find_processes("sleep\000753")) == 2 and found, what="two processes", within=WITHIN,
        every=EVERY,
    )  # fmt: skip
    assert ours
    os.kill(node.init_pid, signal.SIGKILL)
    node.stop()
    for pid in ours:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
