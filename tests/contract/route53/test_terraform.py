"""Terraform's own AWS provider on the operator's host: apply, an empty plan, change, an empty plan, destroy.

https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/route53_record.html.markdown

The provider itself waits some 15 s before it looks whether a change is in sync: this takes some minutes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.route53.conftest import Operator
    from tests.contract.terraform import Terraform

pytestmark = [pytest.mark.drill, pytest.mark.long]
_PROGRAMS = Path(__file__).with_name("programs")
_CHANGES = ("near=0", "comment=moved", "threshold=2")


def test_apply_change_destroy(route53: Any, terraform: Terraform, operator: Operator) -> None:
    """What Terraform applies is answered, and its next plan is empty: after the first apply and after every change.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/route53_zone.html.markdown
    """
    terraform.initialise("zone", _PROGRAMS)
    terraform.apply()
    terraform.plan_nothing()
    zone = terraform.run("output", "-raw", "zone").strip()
    assert operator.ask("api.tf-shop.example") == ["192.0.2.1"]
    assert operator.ask("tf-shop.example") == ["192.0.2.9"]
    assert operator.ask("anything.tf-shop.example") == ["192.0.2.9", "www.tf-shop.example."]
    assert operator.ask("tf-shop.example", "TXT") == ['"other"', '"v=spf1 -all"']

    terraform.apply(*_CHANGES)
    terraform.plan_nothing(*_CHANGES)
    assert operator.ask("api.tf-shop.example") == ["192.0.2.2"]
    assert route53.get_hosted_zone(Id=zone)["HostedZone"]["Config"]["Comment"] == "moved"

    terraform.destroy(*_CHANGES)
    with pytest.raises(route53.exceptions.NoSuchHostedZone):
        route53.get_hosted_zone(Id=zone)
    assert operator.ask("tf-shop.example", "NS") == []
    assert route53.list_health_checks()["HealthChecks"] == []
