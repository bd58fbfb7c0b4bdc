"""The services' manifests say what the rest of the system says: images, target groups, roles, names of stores."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).parents[2]
_MANIFESTS = _ROOT / "system" / "manifests"
_TERRAFORM = _ROOT / "system" / "terraform"


def _read(kind: str) -> list[dict[str, Any]]:
    """Return all objects of a kind, as they stand in the files."""
    files = [*(_MANIFESTS / "base").glob("*.yaml"), *(_MANIFESTS / "controller").glob("*.yaml")]
    objects = [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one]
    return [one for one in objects if one["kind"] == kind and one["metadata"]["name"] != "any"]


def _names(block: str, file: str) -> set[str]:
    """Return the names of a map in a file of Terraform."""
    text = (_TERRAFORM / file).read_text(encoding="utf-8")
    (content,) = re.findall(rf"^  {block} = \{{\n(.*?)^  \}}", text, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^    (\S+) +=", content, re.MULTILINE))


def test_every_image_is_a_program_here() -> None:
    """A pod of the company's own never waits for an image that nobody has."""
    path = _ROOT / "environments" / "embedded" / "images.yaml"
    images = yaml.safe_load(path.read_text(encoding="utf-8"))["images"]
    workloads = [*_read("Deployment"), *_read("Job")]
    used = {one["spec"]["template"]["spec"]["containers"][0]["image"].partition(":")[0] for one in workloads}
    assert used == set(images)


def test_every_target_group_has_a_service() -> None:
    """And every service a target group: of the same name, as it is found by that."""
    bound = {
        one["spec"]["targetGroupName"]: one["spec"]["serviceRef"]["name"]
        for one in _read("TargetGroupBinding")
    }
    assert bound == {name: name for name in _names("services", "platform/edge.tf")}


def test_every_account_has_a_role() -> None:
    """A pod's account is one of those that AWS gives a role."""
    accounts = {one["metadata"]["name"] for one in _read("ServiceAccount")}
    assert accounts == _names("identities", "platform/identity.tf")
    used = {
        one["spec"]["template"]["spec"]["serviceAccountName"] for one in (*_read("Deployment"), *_read("Job"))
    }
    assert used == accounts


def test_production_has_as_many_pods_as_its_budgets_need() -> None:
    """A budget that no node could be drained under would stop every change of nodes."""
    folder = _MANIFESTS / "components" / "production"
    component = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    counts = {one["name"]: one["count"] for one in component["replicas"]}
    budgets = list(yaml.safe_load_all((folder / "budgets.yaml").read_text(encoding="utf-8")))
    assert {one["metadata"]["name"] for one in budgets} == {
        one["metadata"]["name"]
        for one in _read("Deployment")
        if one["metadata"].get("namespace") != "kube-system"
    }
    assert all(counts[one["metadata"]["name"]] > one["spec"]["minAvailable"] for one in budgets)
