"""Terraform's own AWS provider on the operator's host: apply, an empty plan, change, an empty plan, destroy.

https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/s3_bucket_replication_configuration.html.markdown
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.s3.conftest import Pair
from tests.contract.terraform import Terraform, terraform

if TYPE_CHECKING:
    from tests.contract.s3.conftest import Between, NewPair

__all__ = ["terraform"]

pytestmark = [pytest.mark.drill, pytest.mark.long]  # the provider's own waits
_PROGRAM = Path(__file__).with_name("programs") / "replication" / "main.tf"


def test_apply_change_destroy(
    terraform: Terraform, new_pair: NewPair, between: Between, tmp_path: Path
) -> None:
    """What Terraform applies is replicated by, and its next plan is empty: after the first apply and after a change."""
    shutil.copy(_PROGRAM, tmp_path)
    regions = (f"first={between.first}", f"second={between.second}")
    terraform.run("init", "-input=false")
    terraform.apply(*regions)
    terraform.plan_nothing(*regions)
    pair = Pair(new_pair.here, new_pair.there, "tf-documents", "tf-replica")
    pair.put("books/one")
    pair.put("films/one")
    pair.await_status("books/one", "COMPLETED")
    replica = pair.find_replica("books/one")
    assert replica is not None
    assert replica["StorageClass"] == "STANDARD_IA"
    assert pair.read_status("films/one") is None

    changed = (*regions, "prefix=films/", "markers=Disabled")
    terraform.apply(*changed)
    terraform.plan_nothing(*changed)
    pair.put("films/two")
    pair.await_status("films/two", "COMPLETED")
    terraform.destroy(*changed)
