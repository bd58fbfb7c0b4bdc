"""Auto Scaling: groups of EC2 instances of a stated size, spread over zones, which replace what is lost."""

from drdrill.aws.autoscaling.api import AutoScalingService
from drdrill.aws.autoscaling.group import Group
from drdrill.aws.autoscaling.model import AutoScalingSettings, Capacity, Launcher
from drdrill.aws.autoscaling.region import AutoScalingRegion

__all__ = ["AutoScalingRegion", "AutoScalingService", "AutoScalingSettings", "Capacity", "Group", "Launcher"]
