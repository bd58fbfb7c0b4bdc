"""Terraform's own AWS provider: a load balancer and an HTTP API in front of it; apply, empty plan, change, destroy.

https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/lb.html.markdown and
https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/apigatewayv2_api.html.markdown
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.terraform import Terraform, terraform

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.elbv2.conftest import Ask

__all__ = ["terraform"]
pytestmark = [pytest.mark.drill, pytest.mark.long]  # the provider itself waits for minutes
_PROGRAMS = Path(__file__).with_name("programs")
_CHANGES = ("matcher=200-299", "idle_timeout=30")


def test_apply_change_destroy(terraform: Terraform, elb: Any, ask: Ask, client: Callable[..., Any]) -> None:
    """What Terraform applies is there and answers, and its next plan is empty; what it destroys is gone."""
    terraform.initialise("front", _PROGRAMS)
    terraform.apply()
    terraform.plan_nothing()
    endpoint = terraform.run("output", "-raw", "endpoint").strip()
    assert ask.get(f"{endpoint}/closed/today")["body"] == "{}"
    terraform.apply(*_CHANGES)
    terraform.plan_nothing(*_CHANGES)
    (group,) = elb.describe_target_groups(Names=["tf-shop"])["TargetGroups"]
    assert group["Matcher"] == {"HttpCode": "200-299"}
    terraform.destroy(*_CHANGES)
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert client("eu-west-1", "apigatewayv2").get_apis()["Items"] == []
