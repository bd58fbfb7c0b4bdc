"""The machine that deploys, in a standing mirror: plain git and curl on the operator's host, and a real cluster."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.control import Control
from drdrill.mirror.directory import find_mirror
from tests.live.repository import Repository

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.drill,
    pytest.mark.usefixtures("kubernetes"),
]
REGION = "eu-west-1"
CLUSTER = f"shop.{REGION}"
WITHIN, EVERY = timedelta(seconds=60), timedelta(milliseconds=200)
IMAGES = "images:\n  test/web:\n    command: [python3, -m, http.server]\n    args: ['8080']\n"
# Arguments: replicas, image. What is pushed is a base and the overlay of a region, as companies have it.
PUSH = """\
set -eu
cd ~
if [ ! -d system ]; then git clone --quiet git://ci.internal/system; cd system; git checkout --quiet -B main; cd ..; fi
cd system
mkdir -p base overlays/eu-west-1
cat > base/web.yaml <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: $2
        envFrom: [{configMapRef: {name: settings}}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
END
echo 'resources: [web.yaml]' > base/kustomization.yaml
cat > overlays/eu-west-1/kustomization.yaml <<END
resources: [../../base, namespace.yaml]
namespace: shop
replicas: [{name: web, count: $1}]
configMapGenerator: [{name: settings, literals: [REGION=eu-west-1]}]
END
printf 'apiVersion: v1\\nkind: Namespace\\nmetadata: {name: shop}\\n' > overlays/eu-west-1/namespace.yaml
git add .
git -c user.name=operator -c user.email=operator@example.com commit --quiet --allow-empty -m "$1 of $2"
git push --quiet origin main
git rev-parse HEAD
"""


class Operators:
    """What operators do, on their host."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.control = Control(find_mirror(repository.path, "a").control)

    def try_out(self, *program: str) -> subprocess.CompletedProcess[str]:
        """Run a program, and return how it ended."""
        return self._repository.run("env", "exec", "--name", "a", "--", *program)

    def run(self, *program: str) -> str:
        """Run a program that must succeed, and return what it wrote."""
        ended = self.try_out(*program)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def push(self, replicas: int, image: str = "test/web:1") -> str:
        """Push manifests to the repository, and return the commit."""
        return self.run("sh", "-c", PUSH, "push", str(replicas), image).strip()

    def deploy(self, **changes: object) -> tuple[int, dict[str, Any]]:
        """Ask the hook to deploy, and return the status and the answer."""
        wanted = {
            "repository": "system",
            "revision": "main",
            "path": f"overlays/{REGION}",
            "cluster": CLUSTER,
            "within_seconds": 60,
            **changes,
        }
        said = self.run(
            "curl",
            "--silent",
            "--write-out",
            "\n%{http_code}",
            "--data",
            json.dumps(wanted),
            "http://ci.internal/deploy",
        )
        answer, _, status = said.rpartition("\n")
        return int(status), json.loads(answer)

    def ready(self) -> str:
        """Return how many pods of the deployment are ready."""
        return self.run(
            "kubectl", "--context", CLUSTER, "--namespace", "shop", "get", "deployment/web",
            "--output=jsonpath={.status.readyReplicas}",
        )  # fmt: skip


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Return a repository in which the mirror `a` stands, with a machine that deploys."""
    repository = Repository.copy(tmp_path_factory.mktemp("delivery"))
    environment = repository.path / "environments" / "embedded"
    (environment / "images.yaml").write_text(IMAGES, encoding="utf-8")
    repository.alter("environments/embedded/environment.yaml", "build: build.py", "ci: {}\nbuild: build.py")
    try:
        up = repository.run("env", "up", "--only", "databases", "--name", "a")
        assert up.returncode == 0, up.stderr
        yield repository
    finally:
        repository.clear()


@pytest.fixture(scope="module")
def operators(standing: Repository) -> Iterator[Operators]:
    """Bring a cluster up, and make an empty repository."""
    made = Operators(standing)
    made.control.ask("create_cluster", region=REGION, name="shop")
    made.control.ask("add_nodes", region=REGION, name="shop", zones=[f"{REGION}a", f"{REGION}b"])
    described = made.control.ask("start_ci")
    assert described == made.control.ask("start_ci")
    assert described["zone"] == "internet"
    made.run("curl", "--silent", "--fail", "--request", "POST", "http://ci.internal/repositories/system")
    yield made
    made.control.ask("delete_cluster", region=REGION, name="shop")


def test_a_push_is_deployed_and_an_older_revision_too(operators: Operators) -> None:
    """The overlay of a region runs when the hook has answered; an older commit is put back in the same way."""
    first = operators.push(2)
    status, answer = operators.deploy()
    assert (status, answer.get("revision")) == (200, first), answer
    assert "deployment.apps/web created" in answer["said"]
    assert answer["said"][-1] == 'deployment "web" successfully rolled out'
    assert operators.ready() == "2"
    second = operators.push(3)
    status, answer = operators.deploy()
    assert (status, answer.get("revision")) == (200, second), answer
    assert operators.ready() == "3"
    assert operators.deploy(revision=first)[0] == 200
    assert operators.ready() == "2"


def test_what_cannot_run_is_told_in_kubernetes_words(operators: Operators) -> None:
    """A missing image: applied, not rolled out in its time; a wrong manifest: refused. What ran before still does."""
    good = operators.push(2)
    assert operators.deploy()[0] == 200
    operators.push(2, "test/wep:1")
    status, answer = operators.deploy(within_seconds=4)
    assert status == 504
    assert "deployment.apps/web configured" in answer["error"]
    assert "timed out waiting for the condition" in answer["error"]
    assert operators.ready() == "2"
    operators.push(2, "test/web:1\n        colour: red")
    status, answer = operators.deploy()
    assert status == 422
    assert 'unknown field "spec.template.spec.containers[0].colour"' in answer["error"]
    assert operators.deploy(cluster="shop.eu-central-1") == (
        404,
        {"error": f"there is no cluster `shop.eu-central-1`; there are: {CLUSTER}."},
    )
    assert operators.deploy(revision=good)[0] == 200


def test_without_power_it_is_not_heard_and_comes_back_with_its_repositories(operators: Operators) -> None:
    """Neither the hook nor Git answers, as of a dead machine; with power back what was pushed is there."""
    pushed = operators.push(1)
    operators.control.ask("power_off", host="ci")
    assert operators.control.ask("start_ci")["powered"] is False
    ask = ("curl", "--silent", "--fail", "--connect-timeout", "2", "http://ci.internal/healthz")
    assert operators.try_out(*ask).returncode == 28  # silence, no refusal
    operators.control.ask("power_on", host="ci")
    wait_until(lambda: operators.try_out(*ask).returncode == 0, what="the hook", within=WITHIN, every=EVERY)
    status, answer = operators.deploy()
    assert (status, answer.get("revision")) == (200, pushed), answer
    assert operators.ready() == "1"


def test_a_machine_that_can_stand_nowhere(standing: Repository) -> None:
    """A mirror whose configuration names a zone that is none does not come up, and says which there are."""
    standing.alter("environments/embedded/environment.yaml", "ci: {}", "ci: {zone: eu-west-1x}")
    up = standing.run("env", "up", "--only", "databases", "--name", "b")
    assert up.returncode == 5
    assert "there is no zone `eu-west-1x` in this mirror: eu-west-1a, eu-west-1b" in " ".join(
        up.stderr.split()
    )
