"""EKS: clusters whose control planes are real, node groups whose nodes are, and who may ask them."""

from drdrill.aws.eks.api import EksService
from drdrill.aws.eks.authenticator import Authenticator
from drdrill.aws.eks.region import EksRegion

__all__ = ["Authenticator", "EksRegion", "EksService"]
