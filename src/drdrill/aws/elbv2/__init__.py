"""Elastic Load Balancing: load balancers whose nodes are real proxies, and targets that are as healthy as those see."""

from drdrill.aws.elbv2.api import ElbService
from drdrill.aws.elbv2.model import ElbSettings
from drdrill.aws.elbv2.nodes import EnvoyFleet
from drdrill.aws.elbv2.region import Certificates, ElbRegion, Neighbourhood

__all__ = ["Certificates", "ElbRegion", "ElbService", "ElbSettings", "EnvoyFleet", "Neighbourhood"]
