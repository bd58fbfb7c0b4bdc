"""Pod sandboxes: their namespaces and addresses, and verbs that may be repeated, as CRI demands."""

from __future__ import annotations

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from tests.mirror.kubernetes.node import EVERY, PYTHON, WITHIN

if TYPE_CHECKING:
    from tests.mirror.kubernetes.node import Node


def _read_status(node: Node, pod: str) -> cri.PodSandboxStatus:
    status: cri.PodSandboxStatus = node.ask(
        "PodSandboxStatus", cri.PodSandboxStatusRequest(pod_sandbox_id=pod)
    ).status
    return status


def _stop(node: Node, pod: str) -> None:
    node.ask("StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=pod))


def _remove(node: Node, pod: str) -> None:
    node.ask("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod))


def _ask_server(node: Node, address: str) -> str:
    script = (
        "import socket,sys\n"
        "try: print(socket.create_connection((sys.argv[1], 80), 1).recv(9).decode())\n"
        "except OSError as error: print(type(error).__name__)"
    )
    return node.run(PYTHON, "-I", "-c", script, address).strip()


_SERVER = "import socket\ns = socket.create_server(('', 80))\nwhile True: s.accept()[0].sendall(b'hello')"


def test_a_pod_has_an_address_that_others_reach_and_that_falls_silent_with_it(node: Node) -> None:
    """A server in a pod answers the node and another pod; once the pod is stopped, nobody refuses: silence."""
    pod, other = node.run_pod("server"), node.run_pod("client")
    server = node.start(pod, PYTHON, "-I", "-c", _SERVER)
    client = node.start(other, "/bin/sleep", "100")
    address = _read_status(node, pod).network.ip
    assert address.startswith("10.20.64.")
    assert address != _read_status(node, other).network.ip
    wait_until(lambda: _ask_server(node, address) == "hello", what="an answer", within=WITHIN, every=EVERY)
    asking = f"import socket; print(socket.create_connection(('{address}', 80), 5).recv(9).decode())"
    assert node.say(client, PYTHON, "-I", "-c", asking) == "hello\n"

    _stop(node, pod)

    assert node.status(server).state == cri.CONTAINER_EXITED
    assert _read_status(node, pod).state == cri.SANDBOX_NOTREADY
    assert _read_status(node, pod).network.ip == ""
    refused = node.execute(client, PYTHON, "-I", "-c", asking.replace("5)", "1)"))
    assert b"TimeoutError" in refused.stderr


def test_a_pod_has_its_own_name_resolver_and_shared_memory(node: Node) -> None:
    """Containers of one pod see its host name, the kubelet's DNS settings and one /dev/shm, which other pods do not."""
    dns = cri.DNSConfig(servers=["10.96.0.10"], searches=["default.svc.cluster.local"], options=["ndots:5"])
    pod, other = node.run_pod("named", dns_config=dns), node.run_pod("other")
    first, second = (node.start(pod, "/bin/sleep", "100", name=name) for name in ("first", "second"))
    stranger = node.start(other, "/bin/sleep", "100")

    assert node.say(first, "/bin/hostname") == "named\n"
    assert node.say(first, "/bin/cat", "/etc/resolv.conf") == (
        "search default.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
    )
    node.say(first, "/bin/touch", "/dev/shm/seen")  # noqa: S108
    assert node.say(second, "/bin/ls", "/dev/shm") == "seen\n"  # noqa: S108
    assert node.say(stranger, "/bin/ls", "/dev/shm") == ""  # noqa: S108


def test_a_pod_on_the_nodes_network_has_no_address_of_its_own(node: Node) -> None:
    """With hostNetwork the container sees the node's devices."""
    options = cri.NamespaceOption(network=cri.NODE, pid=cri.CONTAINER)
    context = cri.LinuxSandboxSecurityContext(namespace_options=options)
    pod = node.run_pod("hosted", linux=cri.LinuxPodSandboxConfig(security_context=context))
    container = node.start(pod, "/bin/sleep", "100")

    assert _read_status(node, pod).network.ip == ""
    assert node.say(container, "/bin/cat", "/proc/net/route") == node.run("cat", "/proc/net/route")


def test_pods_that_share_their_processes_see_each_other(node: Node) -> None:
    """With shareProcessNamespace one container sees another's program; it ends whole, its children included."""
    options = cri.NamespaceOption(pid=cri.POD)
    sandbox = cri.LinuxSandboxSecurityContext(namespace_options=options)
    context = cri.LinuxContainerSecurityContext(namespace_options=options)
    linux = cri.LinuxContainerConfig(security_context=context)
    pod = node.run_pod("sharing", linux=cri.LinuxPodSandboxConfig(security_context=sandbox))
    first = node.start(pod, "/bin/sh", "-c", "sleep 4321 & exec sleep 1234", linux=linux, name="first")
    second = node.start(pod, "/bin/sleep", "100", linux=linux, name="second")
    assert "sleep 1234" in node.say(second, "/bin/ps", "-ef")

    node.ask("StopContainer", cri.StopContainerRequest(container_id=first, timeout=10))

    assert node.status(first).exit_code == 128 + 15
    wait_until(
        lambda: "sleep 4321" not in node.say(second, "/bin/ps", "-ef"), what="the end of its child", within=WITHIN,
        every=EVERY,
    )  # fmt: skip


def test_stopping_and_removing_a_pod_may_be_repeated(node: Node) -> None:
    """Both verbs succeed again, and for a pod that never was; the status of a removed one is NOT_FOUND."""
    pod = node.run_pod("twice")
    container = node.start(pod, "/bin/sleep", "100")
    for _ in range(2):
        _stop(node, pod)
    for _ in range(2):
        _remove(node, pod)
    _stop(node, "nobody")
    _remove(node, "nobody")

    for verb, request in (
        ("PodSandboxStatus", cri.PodSandboxStatusRequest(pod_sandbox_id=pod)),
        ("ContainerStatus", cri.ContainerStatusRequest(container_id=container)),
    ):
        with pytest.raises(grpc.RpcError) as refusal:
            node.ask(verb, request)
        assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    assert not (node.state / "pods" / pod).exists()
    assert not (node.state / "containers" / container).exists()
    assert pod not in node.run("cat", "/proc/mounts")


def test_a_list_of_pods_can_be_narrowed(node: Node) -> None:
    """Filters by id, by state and by label each leave what fits."""
    ready, stopped = node.run_pod("ready"), node.run_pod("stopped")
    _stop(node, stopped)

    def names(**wanted: object) -> set[str]:
        request = cri.ListPodSandboxRequest(filter=cri.PodSandboxFilter(**wanted))  # type: ignore[arg-type]
        return {pod.id for pod in node.ask("ListPodSandbox", request).items}

    assert names(id=ready) == {ready}
    assert ready in names(state=cri.PodSandboxStateValue(state=cri.SANDBOX_READY))
    assert stopped not in names(state=cri.PodSandboxStateValue(state=cri.SANDBOX_READY))
    assert names(label_selector={"io.kubernetes.pod.name": "stopped"}) == {stopped}


def test_a_pod_that_wants_a_port_of_the_node_is_refused_with_the_way_out(node: Node) -> None:
    """HostPort needs address translation, which is not there: the sentence names hostNetwork; nothing is left."""
    mapping = cri.PortMapping(container_port=80, host_port=80)
    before = node.run("ip", "-o", "link")
    with pytest.raises(grpc.RpcError) as refusal:
        node.run_pod("ported", port_mappings=[mapping])
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "hostNetwork" in refusal.value.details()
    assert node.run("ip", "-o", "link") == before


def test_a_call_that_is_not_offered_says_its_name(node: Node) -> None:
    """CheckpointContainer is answered with UNIMPLEMENTED, exec streams with the reason why there are none."""
    container = node.start(node.run_pod("lacking"), "/bin/sleep", "100")
    with pytest.raises(grpc.RpcError) as refusal:
        node.ask("CheckpointContainer", cri.CheckpointContainerRequest(container_id=container))
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "CheckpointContainer" in refusal.value.details()
    with pytest.raises(grpc.RpcError) as refusal:
        node.ask("Exec", cri.ExecRequest(container_id=container, cmd=["true"], stdout=True))
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "--streaming-socket" in refusal.value.details()


def test_pods_that_are_started_at_once_do_not_meet(node: Node) -> None:
    """Twelve threads start pods and containers: each pod has an address of its own and its own container."""

    def start(number: int) -> tuple[str, str]:
        pod = node.run_pod(f"crowd-{number}")
        container = node.start(pod, "/bin/sleep", "100")
        return _read_status(node, pod).network.ip, node.say(container, "/bin/hostname").strip()

    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(start, range(12)))
    assert len({address for address, _ in found}) == 12
    assert [name for _, name in found] == [f"crowd-{number}" for number in range(12)]


def test_ports_below_1024_are_for_everybody_in_a_pod(node: Node) -> None:
    """A program that is not user 0 may serve port 80, as under containerd."""
    context = cri.LinuxContainerSecurityContext(
        run_as_user=cri.Int64Value(value=1000), namespace_options=cri.NamespaceOption(pid=cri.CONTAINER)
    )
    pod = node.run_pod("unprivileged")
    linux = cri.LinuxContainerConfig(security_context=context)
    node.start(pod, PYTHON, "-I", "-c", _SERVER, linux=linux)
    address = _read_status(node, pod).network.ip
    wait_until(lambda: _ask_server(node, address) == "hello", what="an answer", within=WITHIN, every=EVERY)


def test_nothing_outlives_the_node(node: Node) -> None:
    """The address family of the tests' own machine has no device of a pod: all of them are in the node."""
    node.run_pod("inside")
    assert (
        "10.20.64"
        not in subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    )
    assert socket.gethostname() != "inside"
