"""Clusters of a standing mirror: real control planes and nodes, used by an unmodified kubectl as operators use it."""

from __future__ import annotations

import json
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import DrdrillError, EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.mirror.control import Control
from drdrill.mirror.directory import find_mirror, find_outer_pid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.repository import Repository

pytestmark = [
    pytest.mark.drill,
    pytest.mark.usefixtures("kubernetes"),
]
PRIMARY, RECOVERY = "eu-west-1", "eu-central-1"
ZONES = [f"{PRIMARY}{letter}" for letter in "abc"]
CONTEXT = f"shop.{PRIMARY}"
WITHIN, EVERY = timedelta(seconds=60), timedelta(milliseconds=200)  # measured 2 to 10 s
MISSED_WITHIN = timedelta(seconds=90)  # Kubernetes' own 40 s to 50 s, and a loaded machine
IMAGES = """\
images:
  test/web:
    command: [python3, -m, http.server]
    args: ["8080"]
"""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {matchLabels: {app: web}}
      containers:
      - name: web
        image: test/web:1
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: pods}
spec: {selector: {app: web}, clusterIP: None, ports: [{port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80, targetPort: 8080}]}
"""
ASK = """\
import socket, sys, time, urllib.request
name, times = sys.argv[1], int(sys.argv[2])
def ask():
    try: return urllib.request.urlopen(f"http://{name}/", timeout=3).status
    except OSError as error: return str(error)
print(sorted({str(ask()) for _ in range(times)}))
"""


class Operators:
    """What operators of the mirror do, and what its supervisor is asked."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.directory = find_mirror(repository.path, "a")
        self.control = Control(self.directory.control)

    def run(self, *program: str, said: str | None = None) -> str:
        """Run a program on the operator's host and return what it wrote; it must succeed."""
        ended = self._repository.run("env", "exec", "--name", "a", "--", *program, said=said)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def kubectl(self, *arguments: str, said: str | None = None) -> str:
        """Run kubectl at the primary region's cluster."""
        return self.run("kubectl", "--context", CONTEXT, *arguments, said=said)

    def read(self, *arguments: str) -> Any:
        """Return objects as kubectl reads them."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def cluster(self) -> dict[str, Any]:
        """Return what the supervisor says of the primary region's cluster."""
        return next(c for c in self.control.ask("clusters")["clusters"] if c["region"] == PRIMARY)

    def node_is(self, name: str, status: str) -> bool:
        """Say whether the cluster says this of a node's readiness."""
        conditions = self.read("node", name)["status"]["conditions"]
        return any(one["type"] == "Ready" and one["status"] == status for one in conditions)

    def find_process(self, host: str, program: str) -> int:
        """Return the pid, on this machine, of a program that runs on a host."""
        hosts = {one["name"]: one for one in self.control.ask("hosts")["hosts"]}
        world = self.directory.read_world()
        assert world is not None
        init = find_outer_pid(world, hosts[host]["init_pid"])
        inside = Path(f"/proc/{init}/ns/pid").readlink()
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and (folder / "ns" / "pid").readlink() == inside:
                    command = (folder / "cmdline").read_bytes().split(b"\0")
                    if command[0].endswith(f"/{program}".encode()):
                        return int(folder.name)
            except OSError:
                continue
        raise AssertionError(f"{program} does not run on {host}")


def _await(look: Callable[[], object], what: str, within: timedelta = WITHIN) -> None:
    wait_until(look, what=what, within=within, every=EVERY)


@pytest.fixture(scope="module")
def operators(mirror: Repository) -> Iterator[Operators]:
    """Bring a cluster up in each region, with nodes in three zones of the first, and something that runs there."""
    (mirror.path / "environments" / "embedded" / "images.yaml").write_text(IMAGES, encoding="utf-8")
    made = Operators(mirror)
    for region in (PRIMARY, RECOVERY):
        made.control.ask("create_cluster", region=region, name="shop")
    made.control.ask("add_nodes", region=PRIMARY, name="shop", zones=ZONES)
    made.kubectl("apply", "-f", "-", said=WEB)
    made.kubectl("rollout", "status", "deployment/web", f"--timeout={WITHIN.total_seconds():.0f}s")
    yield made
    for region in (PRIMARY, RECOVERY):
        made.control.ask("delete_cluster", region=region, name="shop")
    assert not [host for host in made.control.ask("hosts")["hosts"] if "shop" in host["name"]]


def test_each_zone_has_a_node_and_each_node_says_where_it_is(operators: Operators) -> None:
    """Nodes are named, labelled and identified as EKS's are; pods spread over them by the zone."""
    nodes = {node["metadata"]["name"]: node for node in operators.read("nodes")["items"]}
    zones = {name: node["metadata"]["labels"]["topology.kubernetes.io/zone"] for name, node in nodes.items()}
    assert sorted(zones.values()) == ZONES
    assert all(name.endswith(f".{PRIMARY}.compute.internal") for name in nodes)
    assert all(
        node["spec"]["providerID"].startswith(f"aws:///{zones[name]}/i-") for name, node in nodes.items()
    )
    pods = operators.read("pods", "-l", "app=web")["items"]
    assert sorted(zones[pod["spec"]["nodeName"]] for pod in pods) == ZONES


def test_kubectl_is_of_the_servers_version_and_regions_are_apart(operators: Operators) -> None:
    """The operator's kubectl is the one that belongs to the cluster; the other region's knows nothing of its pods."""
    versions = json.loads(operators.kubectl("version", "-o", "json"))
    assert versions["clientVersion"]["minor"] == versions["serverVersion"]["minor"]
    other = operators.run("kubectl", "--context", f"shop.{RECOVERY}", "get", "pods", "-A", "-o", "name")
    assert other == ""
    assert operators.kubectl("auth", "can-i", "delete", "nodes").strip() == "yes"


def test_logs_exec_and_port_forward(operators: Operators) -> None:
    """The API server trusts the kubelet's own certificate; what a command writes, reads and ends with comes through."""
    assert "GET / HTTP" in operators.kubectl("logs", "deployment/web")
    echoed = operators.kubectl("exec", "-i", "deployment/web", "--", "cat", said="heard\n")
    assert echoed == "heard\n"
    script = "kubectl exec deployment/web -- sh -c 'exit 7'; echo $?"
    assert operators.run("sh", "-c", script).strip().endswith("7")
    script = (
        'kubectl port-forward deployment/web 18080:8080 >/dev/null & trap "kill $!" EXIT; '
        "for i in $(seq 50); do curl -fso /dev/null -w '%{http_code}' localhost:18080 && exit; sleep 0.1; done"
    )
    assert operators.run("sh", "-c", script).strip().endswith("200")


def test_a_service_is_reached_by_its_name_and_its_own_port(operators: Operators) -> None:
    """From a pod: a translated port, all endpoints of a headless one, and the world outside of the cluster."""
    ask = ("exec", "deployment/web", "--", "python3", "-c", ASK)
    assert operators.kubectl(*ask, "web", "12").strip() == "['200']"
    assert operators.kubectl(*ask, "web.default.svc.cluster.local", "1").strip() == "['200']"
    resolve = "import socket; print(len({a[4][0] for a in socket.getaddrinfo('pods', 8080)}))"
    assert operators.kubectl("exec", "deployment/web", "--", "python3", "-c", resolve).strip() == "3"
    outside = "import socket; print(socket.gethostbyname('rds.eu-west-1.amazonaws.com'))"
    assert operators.kubectl("exec", "deployment/web", "--", "python3", "-c", outside).startswith("198.19.")


def test_what_nobody_serves_is_refused(operators: Operators) -> None:
    """A service without ready endpoints refuses at once; a name that is none is not found."""
    ask = ("exec", "deployment/web", "--", "python3", "-c", ASK)
    assert "refused" in operators.kubectl(*ask, "nobody", "1")
    assert "not known" in operators.kubectl(*ask, "nothing", "1")


def test_programs_in_pods_reach_the_api_by_its_address(operators: Operators) -> None:
    """The address in every pod's environment leads to the API server, whose certificate names it."""
    ask = (
        "import os, ssl, urllib.request; "
        "trusting = ssl.create_default_context(cafile='/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'); "
        "at = os.environ['KUBERNETES_SERVICE_HOST']; "
        "print(urllib.request.urlopen(f'https://{at}/readyz', context=trusting, timeout=5).read().decode())"
    )
    assert operators.kubectl("exec", "deployment/web", "--", "python3", "-c", ask).strip() == "ok"


def test_an_image_that_no_program_stands_for(operators: Operators) -> None:
    """The pod waits with ImagePullBackOff or ErrImagePull, and the event names the catalogue."""
    operators.kubectl("run", "stranger", "--image=test/wep:1")
    try:

        def reason() -> bool:
            statuses = operators.read("pod", "stranger")["status"].get("containerStatuses", [])
            return any("Pull" in one["state"].get("waiting", {}).get("reason", "") for one in statuses)

        _await(reason, "an image that cannot be pulled")
        assert "images.yaml" in operators.kubectl("describe", "pod", "stranger")
    finally:
        operators.kubectl("delete", "pod", "stranger", "--now")


def test_a_killed_kubelet_returns_and_its_pods_go_on(operators: Operators) -> None:
    """The node's init starts it again; containers are not its children and are not restarted."""
    node = operators.cluster()["nodes"][0]
    before = operators.read("pods", "-l", "app=web")["items"]
    killed = operators.find_process(node["host"], "kubelet")
    os.kill(killed, signal.SIGKILL)
    _await(lambda: _runs_again(operators, node["host"], killed), "the kubelet to run again")
    _await(lambda: operators.node_is(node["name"], "True"), "the node to be ready")
    after = operators.read("pods", "-l", "app=web")["items"]
    assert {pod["metadata"]["uid"] for pod in after} == {pod["metadata"]["uid"] for pod in before}
    assert not any(one["restartCount"] for pod in after for one in pod["status"]["containerStatuses"])


def _runs_again(operators: Operators, host: str, killed: int) -> bool:
    try:
        return operators.find_process(host, "kubelet") != killed
    except AssertionError:
        return False


def test_a_node_returns_with_its_power(operators: Operators) -> None:
    """What ran on it is started anew, by its kubelet, on the same node."""
    node = operators.cluster()["nodes"][2]
    operators.control.ask("power_off", host=node["host"])
    operators.control.ask("power_on", host=node["host"])

    def restarted() -> bool:
        pods = operators.read("pods", "-l", "app=web", "--field-selector", f"spec.nodeName={node['name']}")[
            "items"
        ]
        statuses = [one for pod in pods for one in pod["status"].get("containerStatuses", [])]
        return bool(statuses) and all(one["ready"] and one["restartCount"] for one in statuses)

    _await(restarted, "the pod of the node that lost its power")
    assert operators.node_is(node["name"], "True")


def test_a_control_plane_returns_with_what_it_knew(operators: Operators) -> None:
    """Pods go on without it; when its host has its power again, it is there with its state, at the same name."""
    before = {pod["metadata"]["uid"] for pod in operators.read("pods", "-l", "app=web")["items"]}
    host = operators.cluster()["host"]
    operators.control.ask("power_off", host=host)
    operators.control.ask("power_on", host=host)

    _await(lambda: _is_ready(operators), "the control plane to be ready")
    assert {pod["metadata"]["uid"] for pod in operators.read("pods", "-l", "app=web")["items"]} == before


def _is_ready(operators: Operators) -> bool:
    return set(operators.cluster()["components"].values()) == {"ready"}


def test_a_node_that_goes_while_nobody_answers(operators: Operators) -> None:
    """Its entry goes once the control plane is back: what ran on it would wait for a machine that never comes."""
    (name,) = operators.control.ask("add_nodes", region=PRIMARY, name="shop", zones=[f"{PRIMARY}a"])["nodes"]
    host = operators.cluster()["host"]
    operators.control.ask("power_off", host=host)
    try:
        with pytest.raises(DrdrillError, match="does not answer"):
            operators.control.ask("remove_node", region=PRIMARY, name="shop", node=name)
    finally:
        operators.control.ask("power_on", host=host)

    _await(lambda: _is_ready(operators), "the control plane to be ready")

    def gone() -> bool:
        return name not in {one["metadata"]["name"] for one in operators.read("nodes")["items"]}

    _await(gone, "the entry of the node that is gone to be removed")


def test_a_cluster_that_cannot_be_is_refused(operators: Operators) -> None:
    """A region that is none, a name that is taken: nothing is begun, and the words say what there is."""
    with pytest.raises(
        EnvironmentFailedError, match="no region `eu-north-1` in this mirror: eu-west-1, eu-central-1"
    ):
        operators.control.ask("create_cluster", region="eu-north-1", name="shop")
    with pytest.raises(EnvironmentFailedError, match="a cluster `shop` in eu-west-1 already"):
        operators.control.ask("create_cluster", region=PRIMARY, name="shop")


@pytest.mark.long
def test_a_hung_kubelet_is_missed_by_kubernetes_own_clock(operators: Operators) -> None:
    """The node is unknown after the cluster's own grace period, and ready again when the kubelet goes on."""
    node = operators.cluster()["nodes"][1]
    hung = operators.find_process(node["host"], "kubelet")
    os.kill(hung, signal.SIGSTOP)
    try:
        _await(lambda: operators.node_is(node["name"], "Unknown"), "the node to be missed", MISSED_WITHIN)
    finally:
        os.kill(hung, signal.SIGCONT)
    _await(lambda: operators.node_is(node["name"], "True"), "the node to be ready")
