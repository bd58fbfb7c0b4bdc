"""What the company's Terraform roots are refused: the old configuration after a failover."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from failover._writer import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PATH = Path(__file__).parents[2] / "system" / "terraform" / "roots.py"


@pytest.fixture
def roots() -> Iterator[ModuleType]:
    """Return the program as a module."""
    spec = importlib.util.spec_from_file_location("company_roots", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["company_roots"] = module  # its data classes look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["company_roots"]


def _chosen(roots: ModuleType, *names: str) -> list[Any]:
    return [root for group in roots.choose(list(names)) for root in group]


def test_the_primary_region_writes_from_the_start(roots: ModuleType) -> None:
    """Both copies of who writes are made with its name, and what was written since is never taken back."""
    for name, file in (("foundation/recovery", "buckets.tf"), ("global", "main.tf")):
        (root,) = _chosen(roots, name)
        assert root.environment({})["TF_VAR_primary_region"] == "eu-west-1"
        folder = PATH.parent / name.partition("/")[0]
        assert 'variable "primary_region"' in (folder / "main.tf").read_text(encoding="utf-8")
        text = (folder / file).read_text(encoding="utf-8")
        (block,) = re.findall(
            r'^resource "aws_s3_object" "writer" {\n(.*?)^}', text, re.DOTALL | re.MULTILINE
        )
        assert "jsonencode({ region = var.primary_region })" in block
        assert f'= "{KEY}"' in block
        assert "ignore_changes = all" in block


def test_what_serves_users_is_made_no_pilot_light(roots: ModuleType) -> None:
    """After a failover the old configuration would scale down the region that users are led to."""
    with pytest.raises(
        roots.RootsError, match=r"platform/recovery would be made a pilot light.*\n.*capacity=production"
    ):
        roots.refuse_what_serves(
            _chosen(roots, "platform/recovery"), {}, lambda _: {"recovery": 100, "primary": 0}
        )


@pytest.mark.parametrize(
    ("names", "changes", "weights"),
    [
        (("platform/recovery",), {}, {"recovery": 0, "primary": 100}),
        (("platform/recovery",), {}, {}),
        (("platform/recovery",), {"capacity": "production"}, {"recovery": 100, "primary": 0}),
        (("platform/primary", "foundation/recovery", "global", "state"), {}, {"recovery": 100, "primary": 0}),
    ],
)  # fmt: skip
def test_everything_else_is_applied(
    roots: ModuleType, names: tuple[str, ...], changes: dict[str, str], weights: dict[str, int]
) -> None:
    """Before there are names, before a failover, with production's size, and whatever has no size."""
    roots.refuse_what_serves(_chosen(roots, *names), changes, lambda _: weights)


def test_who_serves_is_not_known(roots: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that cannot be read refuses: without AWS nobody knows who serves."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(roots.RootsError, match="no region is made a pilot light"):
        roots.read_weights("shop.example")


def test_users_may_be_led_there_without_a_weight(roots: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a switch by health the weights are those of before: the name itself says who serves."""
    records = [
        {"Name": "api.shop.example.", "SetIdentifier": role, "Weight": weight}
        for role, weight in (("primary", 100), ("recovery", 0))
    ]

    class Route53:
        def list_hosted_zones_by_name(self, **_: str) -> dict[str, Any]:
            return {"HostedZones": [{"Id": "Z1", "Name": "shop.example."}]}

        def list_resource_record_sets(self, **_: str) -> dict[str, Any]:
            return {"ResourceRecordSets": records}

    monkeypatch.setattr("boto3.client", lambda _: Route53())
    led = {"api.primary.shop.example.": {"10.0.0.1"}, "api.recovery.shop.example.": {"10.4.0.1"}}
    monkeypatch.setattr(roots, "_resolve", led.__getitem__)
    for serving, share in (("primary", 0), ("recovery", 1)):
        led["api.shop.example."] = led[f"api.{serving}.shop.example."]
        assert roots.read_weights("shop.example") == {"primary": 100, "recovery": share}
