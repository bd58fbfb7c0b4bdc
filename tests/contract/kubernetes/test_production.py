"""A deployment as production has them: locked down, probed, configured from outside, ended with care.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.kubernetes.cluster import container_status, is_ready
from tests.contract.kubernetes.manifests import container, deployment, pod, pod_spec, service

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Operators

pytestmark = pytest.mark.drill
_USER = 10001
_AUDIENCE = "sts.amazonaws.com"
# Says what it is and sees, when it is asked; says farewell when its hook asks, and that it ends when it is told to.
_PROGRAM = """\
import http.server, json, os, pathlib, signal, threading
def written(folder):
    try: pathlib.Path(folder, "try").write_text("x")
    except OSError as error: return error.strerror
    return "yes"
def look():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    return {
        "user": os.getuid(), "group": os.getgid(), "environment": dict(os.environ),
        "capabilities": int(status["CapEff"], 16), "confined": status["NoNewPrivs"],
        "written": {folder: written(folder) for folder in ("/", "/usr", "/tmp", "/data")},
        "data_group": os.stat("/data").st_gid,
        "labels": open("/about/labels").read(), "token": open("/tokens/aws").read(),
        "settings": open("/settings/colour").read(),
    }
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/farewell": print("the hook came", flush=True)
        self.send_response(200); self.end_headers()
        self.wfile.write(json.dumps(look() if self.path == "/look" else {}).encode())
    def log_message(self, *words): pass
server = http.server.ThreadingHTTPServer(("", 8080), Handler)
def end(*_):
    print("told to end", flush=True); threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, end)
print("serves", flush=True)
server.serve_forever()
"""
_ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def _restricted_pod(**fields: object) -> dict[str, Any]:
    """Return the security context of a pod that Kubernetes' standard `restricted` admits."""
    return {
        "runAsNonRoot": True,
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "seccompProfile": {"type": "RuntimeDefault"},
        **fields,
    }


def _production_container(image: str) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1}
    field = {"fieldRef": {"fieldPath": "status.podIP"}}
    limit = {"resourceFieldRef": {"resource": "limits.memory"}}
    farewell = ["python3", "-c", _ASK, "http://127.0.0.1:8080/farewell"]
    return container(
        image,
        _PROGRAM,
        ports=[{"name": "http", "containerPort": 8080}],
        securityContext=_RESTRICTED,
        startupProbe={**probe, "failureThreshold": 30},
        livenessProbe=probe,
        readinessProbe=probe,
        resources={
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
        lifecycle={"preStop": {"exec": {"command": farewell}}},
        envFrom=[{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "credentials"}}],
        env=[{"name": "ADDRESS", "valueFrom": field}, {"name": "MEMORY", "valueFrom": limit}],
        volumeMounts=[
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  (the container's)
            {"name": "data", "mountPath": "/data"},
            {"name": "about", "mountPath": "/about"},
            {"name": "tokens", "mountPath": "/tokens"},
            {"name": "settings", "mountPath": "/settings"},
        ],
    )


def _production_spec(image: str) -> dict[str, Any]:
    token = {"serviceAccountToken": {"audience": _AUDIENCE, "expirationSeconds": 3600, "path": "aws"}}
    labels = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    return pod_spec(
        "web",
        _production_container(image),
        serviceAccountName="web",
        securityContext=_restricted_pod(fsGroup=_USER),
        terminationGracePeriodSeconds=20,
        volumes=[
            {"name": "tmp", "emptyDir": {}},
            {"name": "data", "emptyDir": {}},
            {"name": "about", "downwardAPI": {"items": [labels]}},
            {"name": "tokens", "projected": {"sources": [token]}},
            {"name": "settings", "configMap": {"name": "settings"}},
        ],
    )


def _named(kind: str, name: str, **fields: object) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


@pytest.fixture
def served(operators: Operators) -> list[dict[str, Any]]:
    """Have the deployment rolled out where only restricted pods are admitted, and return its pods."""
    operators.kubectl(
        "label", "namespace", operators.namespace, "pod-security.kubernetes.io/enforce=restricted"
    )
    operators.apply(
        _named("ServiceAccount", "web"),
        _named("ConfigMap", "settings", data={"colour": "red"}),
        _named("Secret", "credentials", stringData={"PASSWORD": "not one"}),
        deployment("web", 2, _production_spec(operators.cluster.python)),
        service("web"),
    )
    operators.roll_out("web")
    return operators.pods("web")


def test_a_restricted_deployment_serves(operators: Operators, served: list[dict[str, Any]]) -> None:
    """It is ready by its probes and reached by its service's name; it is whom it has to be, and writes where it may.

    https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
    """
    asked = operators.kubectl("exec", "deployment/web", "--", "python3", "-c", _ASK, "http://web/look")
    seen = json.loads(asked)
    assert (seen["user"], seen["group"], seen["capabilities"], seen["confined"]) == (_USER, _USER, 0, "1")
    assert seen["data_group"] == _USER
    assert {folder for folder, written in seen["written"].items() if written == "yes"} == {"/tmp", "/data"}  # noqa: S108
    environment = seen["environment"]
    assert (environment["colour"], environment["PASSWORD"]) == ("red", "not one")
    assert environment["ADDRESS"] in {one["status"]["podIP"] for one in served}
    assert int(environment["MEMORY"]) == 128 << 20
    assert seen["settings"] == "red"
    assert 'app="web"' in seen["labels"]
    claims = json.loads(base64.urlsafe_b64decode(seen["token"].split(".")[1] + "=="))
    assert claims["aud"] == [_AUDIENCE]
    assert claims["sub"] == f"system:serviceaccount:{operators.namespace}:web"


def test_a_pod_is_ended_with_care(operators: Operators, served: list[dict[str, Any]]) -> None:
    """Its hook runs first, then it is told to end; it ends by itself, long before its grace period is over.

    https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
    """
    name = served[0]["metadata"]["name"]
    with operators.start("kubectl", "--namespace", operators.namespace, "logs", "-f", name) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "serves\n"
        operators.kubectl("delete", "pod", name)
        said, _ = following.communicate(timeout=30)
    told = said.splitlines()
    assert told[:2] == ["the hook came", "told to end"]
    # A kubelet that looks once more, after the container was taken away, says that there is none; nothing else is said.
    assert all(line.startswith("rpc error: code = NotFound") for line in told[2:])


def test_what_may_not_be_is_refused(operators: Operators, served: list[dict[str, Any]]) -> None:
    """A pod that says nothing about its user is not admitted beside them; one that is root says why it does not start.

    https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    del served
    said = json.dumps(pod("lax", pod_spec("lax", container(operators.cluster.python))))
    refused = operators.try_kubectl("apply", "-f", "-", said=said)
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr
    context = {**_RESTRICTED, "runAsUser": 0}
    operators.kubectl(
        "label",
        "namespace",
        operators.namespace,
        "--overwrite",
        "pod-security.kubernetes.io/enforce=baseline",
    )
    spec = pod_spec("root", container(operators.cluster.python, securityContext=context))
    operators.apply(pod("root", {**spec, "securityContext": {"runAsNonRoot": True}}))

    def reason() -> bool:
        waiting = container_status(operators.read("pod", "root")).get("state", {}).get("waiting", {})
        return bool(waiting.get("reason") == "CreateContainerConfigError")

    operators.await_true(reason, "CreateContainerConfigError")
    assert "runAsUser breaks non-root policy" in operators.kubectl("describe", "pod", "root")


def test_init_containers_and_sidecars(operators: Operators) -> None:
    """What prepares ends before what accompanies starts, and that serves before the rest starts; it ends last.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """
    image = operators.cluster.python
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    prepare = "open('/shared/prepared', 'w').write('by init')"
    sidecar = (
        "import signal, pathlib, threading; ended = threading.Event(); "
        "signal.signal(signal.SIGTERM, lambda *_: ended.set()); "
        "assert pathlib.Path('/shared/prepared').exists(); pathlib.Path('/shared/ready').touch(); ended.wait(); "
        "print('main was over:', pathlib.Path('/shared/over').exists(), flush=True)"
    )
    main = (
        "import pathlib; print(pathlib.Path('/shared/prepared').read_text(), "
        "pathlib.Path('/shared/ready').exists()); pathlib.Path('/shared/over').touch()"
    )
    spec = pod_spec(
        "staged",
        container(image, main, volumeMounts=mounts),
        restartPolicy="Never",
        terminationGracePeriodSeconds=10,
        volumes=[{"name": "shared", "emptyDir": {}}],
        initContainers=[
            container(image, prepare, name="prepare", volumeMounts=mounts),
            container(
                image,
                sidecar,
                name="sidecar",
                volumeMounts=mounts,
                restartPolicy="Always",
                startupProbe={"exec": {"command": ["test", "-e", "/shared/ready"]}, "periodSeconds": 1},
            ),
        ],
    )
    operators.apply(pod("staged", spec))
    operators.kubectl("wait", "pod/staged", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    assert operators.kubectl("logs", "staged", "-c", "main").strip() == "by init True"
    assert operators.kubectl("logs", "staged", "-c", "sidecar").strip() == "main was over: True"


def test_an_init_container_that_fails_keeps_the_rest_from_starting(operators: Operators) -> None:
    """It is started again and again, the pod says which one and how it ended, and no other container starts.

    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/
    """
    image = operators.cluster.python
    failing = container(image, "raise SystemExit(4)", name="prepare")
    operators.apply(pod("stuck", pod_spec("stuck", container(image), initContainers=[failing])))

    def failed() -> bool:
        (status,) = operators.read("pod", "stuck")["status"].get("initContainerStatuses", [{}])
        last = status.get("lastState", {}).get("terminated", {})
        return bool(last.get("exitCode") == 4 and status["restartCount"] >= 1)

    operators.await_true(failed, "a restart of the init container")
    now = operators.read("pod", "stuck")
    assert container_status(now)["state"]["waiting"]["reason"] == "PodInitializing"
    assert not is_ready(now)
    assert "Init:" in operators.kubectl("get", "pod", "stuck")
