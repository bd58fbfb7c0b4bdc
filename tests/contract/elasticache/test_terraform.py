"""Terraform's own AWS provider on the operator's host: apply, an empty plan, change, an empty plan, destroy.

https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/elasticache_replication_group.html.markdown

The provider itself waits half a minute before it looks at what it began: this takes some minutes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.elasticache.conftest import describe
from tests.contract.terraform import Terraform, terraform

if TYPE_CHECKING:
    from tests.contract.elasticache.conftest import Ask

__all__ = ["terraform"]

pytestmark = [pytest.mark.drill, pytest.mark.long]  # the provider's own waits
_PROGRAM = Path(__file__).with_name("programs") / "cache" / "main.tf"
_CHANGES = ("nodes=3", "policy=noeviction", "team=till")


def test_apply_change_destroy(cache: Any, terraform: Terraform, ask: Ask, tmp_path: Path) -> None:
    """What Terraform applies is there, and its next plan is empty: after the first apply and after a change.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/elasticache_replication_group.html.markdown
    """
    shutil.copy(_PROGRAM, tmp_path)
    terraform.run("init", "-input=false")
    terraform.apply()
    terraform.plan_nothing()
    address = terraform.run("output", "-raw", "address").strip()
    assert ask(address, ["SET", "kept", "yes"], ["WAIT", "1", "2000"]) == [True, 1]
    made = describe(cache, "tf-sessions")
    assert (made["MultiAZ"], len(made["MemberClusters"])) == ("enabled", 2)

    terraform.apply(*_CHANGES)
    terraform.plan_nothing(*_CHANGES)
    changed = describe(cache, "tf-sessions")
    assert len(changed["MemberClusters"]) == 3
    tags = cache.list_tags_for_resource(ResourceName=changed["ARN"])["TagList"]
    assert tags == [{"Key": "team", "Value": "till"}]
    (info,) = ask(address, ["INFO", "memory"])
    assert info["maxmemory_policy"] == "noeviction"
    assert ask(address, ["GET", "kept"]) == ["yes"]

    terraform.destroy(*_CHANGES)
    with pytest.raises(cache.exceptions.ReplicationGroupNotFoundFault):
        describe(cache, "tf-sessions")
    with pytest.raises(cache.exceptions.CacheParameterGroupNotFoundFault):
        cache.describe_cache_parameters(CacheParameterGroupName="tf-sessions")
    with pytest.raises(cache.exceptions.CacheSubnetGroupNotFoundFault):
        cache.describe_cache_subnet_groups(CacheSubnetGroupName="tf-sessions")
