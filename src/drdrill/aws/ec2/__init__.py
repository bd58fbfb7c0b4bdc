"""EC2: machines with a state that is real, and the places that they stand in."""

from drdrill.aws.ec2.api import Ec2Service
from drdrill.aws.ec2.model import Ec2Settings, Refusal
from drdrill.aws.ec2.networks import Networks
from drdrill.aws.ec2.places import Zone, make_zones
from drdrill.aws.ec2.region import Ec2Region

__all__ = ["Ec2Region", "Ec2Service", "Ec2Settings", "Networks", "Refusal", "Zone", "make_zones"]
