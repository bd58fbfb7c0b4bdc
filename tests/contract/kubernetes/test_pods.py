"""Pods: what becomes of one that is killed, ends, hangs, cannot be started or only writes.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.kubernetes.cluster import container_status, is_ready
from tests.contract.kubernetes.manifests import container, deployment, pod, pod_spec, service

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Operators

pytestmark = pytest.mark.drill
_BACKED_OFF_WITHIN = timedelta(seconds=120)  # Kubernetes waits 10 s, then 20 s, and so on; measured 15 s
_PROBE = {
    "httpGet": {"path": "/", "port": 8080},
    "periodSeconds": 1,
    "timeoutSeconds": 1,
    "failureThreshold": 2,
}
_COUNT = 'import time\nfor n in range(8): print("line", n, flush=True); time.sleep(0.25)'


def _serve(
    operators: Operators, replicas: int, liveness: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Have a server rolled out, and return its pods."""
    server = container(operators.cluster.python)
    if liveness:
        server["livenessProbe"] = liveness
    operators.apply(deployment("web", replicas, pod_spec("web", server)), service("web"))
    operators.roll_out("web")
    return operators.pods("web")


def _endpoints(operators: Operators) -> set[str]:
    """Return the addresses that the service leads to."""
    slices = operators.read("endpointslices", "-l", "kubernetes.io/service-name=web")["items"]
    return {
        address
        for one in slices
        for endpoint in one["endpoints"] or ()
        if endpoint["conditions"]["ready"]
        for address in endpoint["addresses"]
    }


def test_a_killed_pod_is_replaced(operators: Operators) -> None:
    """A pod that is killed without grace is replaced by another one; the service leads to that one, and not to the old.

    https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
    """
    killed, *others = _serve(operators, 3)
    operators.kubectl("delete", "pod", killed["metadata"]["name"], "--grace-period=0", "--force")
    operators.roll_out("web")
    after = operators.pods("web")
    names = {one["metadata"]["name"] for one in after}
    assert len(names) == 3
    assert killed["metadata"]["name"] not in names
    assert {one["metadata"]["name"] for one in others} < names
    addresses = {one["status"]["podIP"] for one in after}
    operators.await_true(
        lambda: _endpoints(operators) == addresses, "the endpoints of the pods that are there"
    )


def test_a_process_that_ends_is_started_again_in_its_pod(operators: Operators) -> None:
    """The pod stays, with its address and node; it says how its container ended, and what that wrote can still be read.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
    """
    (before,) = _serve(operators, 1)
    name = before["metadata"]["name"]
    operators.ask_itself(name, "/end")
    operators.await_true(
        lambda: container_status(operators.read("pod", name)).get("restartCount") == 1, "a restart"
    )
    after = operators.await_true(
        lambda: (now := operators.read("pod", name)) and is_ready(now) and now, "readiness"
    )
    for where in ("uid", "name"):
        assert after["metadata"][where] == before["metadata"][where]
    assert after["status"]["podIP"] == before["status"]["podIP"]
    assert container_status(after)["lastState"]["terminated"]["exitCode"] == 7
    assert "asked to end" in operators.kubectl("logs", name, "--previous")
    assert "asked to end" not in operators.kubectl("logs", name)


def test_a_hung_process_is_found_by_its_liveness_probe(operators: Operators) -> None:
    """A server that answers nothing any more is killed and started again, for the reason that its probe failed.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
    """
    (before,) = _serve(operators, 1, liveness=_PROBE)
    name = before["metadata"]["name"]
    operators.ask_itself(name, "/hang")
    operators.await_true(
        lambda: container_status(operators.read("pod", name)).get("restartCount") == 1, "a restart"
    )
    operators.await_true(lambda: is_ready(operators.read("pod", name)), "readiness")
    assert operators.read("pod", name)["metadata"]["uid"] == before["metadata"]["uid"]
    described = operators.kubectl("describe", "pod", name)
    assert "Liveness probe failed" in described
    assert "failed liveness probe, will be restarted" in described


def test_a_hung_process_without_a_liveness_probe_gets_no_users(operators: Operators) -> None:
    """With a readiness probe alone it is left as it is, and taken out of the service's endpoints.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
    """
    hung, other = _serve(operators, 2)
    operators.ask_itself(hung["metadata"]["name"], "/hang")
    operators.await_true(lambda: _endpoints(operators) == {other["status"]["podIP"]}, "one endpoint less")
    now = operators.read("pod", hung["metadata"]["name"])
    assert container_status(now)["restartCount"] == 0
    assert now["status"]["phase"] == "Running"


def test_a_crash_loop_is_backed_off(operators: Operators) -> None:
    """A program that always fails is started again after growing pauses, in which it says CrashLoopBackOff.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts
    """
    failing = container(operators.cluster.python, "print('no database', flush=True); raise SystemExit(3)")
    operators.apply(pod("failing", pod_spec("failing", failing)))

    def waiting() -> dict[str, Any] | None:
        status = container_status(operators.read("pod", "failing"))
        reason = status.get("state", {}).get("waiting", {}).get("reason")
        return status if reason == "CrashLoopBackOff" and status["restartCount"] >= 1 else None

    status = operators.await_true(waiting, "CrashLoopBackOff", _BACKED_OFF_WITHIN)
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["lastState"]["terminated"]["reason"] == "Error"
    assert "back-off" in status["state"]["waiting"]["message"]
    # Right after another start the one before has no log for a moment.
    operators.await_true(
        lambda: operators.try_kubectl("logs", "failing", "--previous").stdout.strip() == "no database",
        "what the one before said",
        _BACKED_OFF_WITHIN,
    )


def test_an_image_that_cannot_be_pulled(operators: Operators) -> None:
    """The pod waits with ErrImagePull and ImagePullBackOff, says whose image it is and who has not got it, and stays.

    https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
    """
    missing = operators.cluster.missing
    operators.apply(pod("stranger", pod_spec("stranger", container(missing.image))))
    seen: set[str] = set()

    def backed_off() -> bool:
        waiting = container_status(operators.read("pod", "stranger")).get("state", {}).get("waiting", {})
        seen.add(waiting.get("reason", ""))
        return "ImagePullBackOff" in seen

    operators.await_true(backed_off, "ImagePullBackOff", _BACKED_OFF_WITHIN)
    assert seen <= {"", "ContainerCreating", "ErrImagePull", "ImagePullBackOff"}
    described = operators.kubectl("describe", "pod", "stranger")
    assert missing.image in described
    assert missing.named in described
    assert operators.read("pod", "stranger")["status"]["phase"] == "Pending"


def test_logs_are_followed_to_the_end(operators: Operators) -> None:
    """`logs -f` gives lines as they are written, from the first on, and ends when the program does.

    https://kubernetes.io/docs/concepts/cluster-administration/logging/
    """
    counting = pod_spec("count", container(operators.cluster.python, _COUNT), restartPolicy="Never")
    operators.apply(pod("count", counting))
    operators.kubectl("wait", "pod/count", "--for=jsonpath={.status.containerStatuses[0].started}=true")
    followed = operators.kubectl("logs", "-f", "count")
    assert followed.splitlines() == [f"line {number}" for number in range(8)]
    operators.kubectl("wait", "pod/count", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    assert operators.kubectl("logs", "count", "--tail=1").strip() == "line 7"


def test_a_pod_that_kubernetes_refuses(operators: Operators) -> None:
    """A manifest with a mistake is refused with Kubernetes' own words, and nothing of it is made.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    """
    wrong = container(operators.cluster.python, imagePullPolicy="Sometimes", colour="red")

    def refused() -> str:
        said = json.dumps(pod("wrong", pod_spec("wrong", wrong)))  # alone: kubectl judges lists by itself
        ended = operators.try_kubectl("apply", "-f", "-", said=said)
        assert ended.returncode != 0
        return ended.stderr

    assert 'unknown field "spec.containers[0].colour"' in refused()
    del wrong["colour"]
    assert 'Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"' in refused()
    assert operators.read("pods")["items"] == []
