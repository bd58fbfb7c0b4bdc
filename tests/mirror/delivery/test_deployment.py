"""A revision of a repository is applied to a cluster by kubectl and waited for; what is wrong is told in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.mirror.delivery.request import (
    DeployRequest,
    NotAppliedError,
    NotRolledOutError,
    NotThereError,
    WrongRequestError,
)

if TYPE_CHECKING:
    from tests.mirror.delivery.conftest import Machine


def _request(**changes: object) -> DeployRequest:
    wanted: dict[str, object] = {
        "repository": "system",
        "revision": "main",
        "path": "manifests",
        "cluster": "shop.eu-west-1",
        **changes,
    }
    return DeployRequest.model_validate(wanted)


@pytest.fixture
def first(machine: Machine) -> str:
    """Return the first commit of a repository with manifests."""
    assert machine.deployer.create_repository("system")
    return machine.commit("system", {"manifests/kustomization.yaml": "first"})


def test_what_is_deployed_is_what_the_revision_has(machine: Machine, first: str) -> None:
    """A branch is its newest commit then; an older commit is deployed as it was; the answer names the commit."""
    second = machine.commit("system", {"manifests/kustomization.yaml": "second"})
    done = machine.deployer.deploy(_request())
    assert (done.revision, machine.applied) == (second, "second")
    for revision in (first, "main~1", first[:10]):
        assert machine.deployer.deploy(_request(revision=revision)).revision == first
        assert machine.applied == "first"


@pytest.mark.usefixtures("first")
def test_every_workload_is_waited_for_and_kubectl_is_quoted(machine: Machine) -> None:
    """What is no workload is not waited for; the answer is what kubectl said."""
    done = machine.deployer.deploy(_request(within_seconds=30))
    assert done.said == (
        "deployment.apps/web created",
        "configmap/settings created",
        'deployment "web" successfully rolled out',
    )
    asked = machine.asked
    assert all(f"--kubeconfig={machine.folder / 'config'}" in line for line in asked)
    assert [line.split("--context=shop.eu-west-1 ")[1].split()[0] for line in asked[1:]] == [
        "apply",
        "get",
        "rollout",
    ]
    assert "rollout status deployment/web --namespace=shop --timeout=" in asked[-1]


@pytest.mark.usefixtures("first")
def test_what_a_cluster_refuses(machine: Machine) -> None:
    """Kubectl's own words, and nothing is waited for."""
    machine.say("apply", 'error: unable to decode: unknown field "spec.colour"', status=1)
    with pytest.raises(NotAppliedError, match="unknown field"):
        machine.deployer.deploy(_request())
    assert not any("rollout" in line for line in machine.asked)


@pytest.mark.usefixtures("first")
def test_what_does_not_come_up(machine: Machine) -> None:
    """What was applied is told with what kubectl said at the end of the time."""
    machine.say("rollout", "error: timed out waiting for the condition", status=1)
    with pytest.raises(NotRolledOutError, match=r"(?s)web created.*timed out waiting for the condition"):
        machine.deployer.deploy(_request(within_seconds=2))


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"repository": "sistem"}, "there is no repository `sistem` here; there are: system"),
        ({"revision": "release"}, "`system` has no revision `release`"),
        ({"path": "overlays"}, "`system` has no folder `overlays` in main"),
        ({"path": "manifests/kustomization.yaml"}, "has no folder `manifests/kustomization.yaml`"),
        ({"cluster": "shop.eu-north-1"}, "there is no cluster `shop.eu-north-1`; there are: shop.eu-west-1"),
    ],
)
def test_what_is_not_there(machine: Machine, changes: dict[str, str], words: str) -> None:
    """It is named beside what there is, and nothing is applied."""
    with pytest.raises(NotThereError, match=words):
        machine.deployer.deploy(_request(**changes))
    assert not (machine.folder / "applied").exists()


def test_a_link_out_of_a_repository(machine: Machine, first: str) -> None:
    """A folder that is a link to somewhere else on the machine is refused."""
    assert first
    (machine.folder / "clone" / "out").symlink_to("/etc")
    machine.commit("system", {"more": "more"})
    with pytest.raises(WrongRequestError, match="leads out of `system`"):
        machine.deployer.deploy(_request(path="out"))


@pytest.mark.usefixtures("first")
def test_nothing_is_left_of_a_deployment(machine: Machine) -> None:
    """What was checked out is removed, also after a refusal."""
    machine.deployer.deploy(_request())
    machine.say("apply", "no", status=1)
    with pytest.raises(NotAppliedError):
        machine.deployer.deploy(_request())
    assert list((machine.deployer.repositories.parent / "work").iterdir()) == []


def test_a_repository_is_made_once(machine: Machine) -> None:
    """Making it again changes nothing; a name that would be a path is refused."""
    assert machine.deployer.create_repository("system.git")
    assert not machine.deployer.create_repository("system")
    for name in ("../outside", "", "a/b", "-option"):
        with pytest.raises(WrongRequestError, match="a name of letters"):
            machine.deployer.create_repository(name)
