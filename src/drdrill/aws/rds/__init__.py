"""Amazon RDS of one region: instances, their state machine, and the reconciler that moves real PostgreSQL servers."""

from drdrill.aws.rds.api import RdsService
from drdrill.aws.rds.model import ACCOUNT, RdsSettings
from drdrill.aws.rds.region import RdsRegion

__all__ = ["ACCOUNT", "RdsRegion", "RdsService", "RdsSettings"]
