"""Amazon Route 53: hosted zones and health checks, by which the mirror's DNS server answers."""

from drdrill.aws.route53.api import REGION, Route53Service
from drdrill.aws.route53.control_plane import ControlPlane
from drdrill.aws.route53.health_board import HealthBoard, Observation

__all__ = ["REGION", "ControlPlane", "HealthBoard", "Observation", "Route53Service"]
