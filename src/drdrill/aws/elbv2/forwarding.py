"""Which target groups a load balancer may send requests to, with AWS's refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.elbv2.group_operations import kind_of
from drdrill.aws.elbv2.model import ForwardAction, Kind
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from drdrill.aws.elbv2.model import Action, LoadBalancer
    from drdrill.aws.elbv2.records import Records


def require_compatible(records: Records, balancer: LoadBalancer, action: Action) -> None:
    """Raise AWS's error for an action that a load balancer cannot have."""
    if balancer.kind is Kind.NETWORK and not (isinstance(action, ForwardAction) and len(action.weights) == 1):
        text = "A Network Load Balancer can only forward, to exactly one target group"
        raise AwsError("InvalidLoadBalancerAction", text)
    if not isinstance(action, ForwardAction):
        return
    for arn, _ in action.weights:
        group = records.group(arn)
        if kind_of(group) is not balancer.kind:
            text = (
                f"The protocol {group.protocol} of target group '{arn}' does not fit a {balancer.kind.value}"
            )
            raise AwsError("IncompatibleProtocols", f"{text} load balancer")
        if group.vpc != balancer.subnets[0].vpc:
            text = f"The target group '{arn}' is in another VPC than the load balancer"
            raise AwsError("InvalidConfigurationRequest", text)
        others = [one for one in records.balancers_of(arn) if one != balancer.arn]
        if others and balancer.kind is Kind.APPLICATION:
            text = f"The following target groups cannot be associated with more than one load balancer: {arn}"
            raise AwsError("TargetGroupAssociationLimit", text)
