"""Amazon ElastiCache of one region: replication groups, and the reconciler that moves real Valkey servers."""

from drdrill.aws.elasticache.api import ElastiCacheService
from drdrill.aws.elasticache.model import CacheSettings
from drdrill.aws.elasticache.region import CacheRegion

__all__ = ["CacheRegion", "CacheSettings", "ElastiCacheService"]
