"""Prove that disaster recovery works: drills with real faults, real failover code, measured recovery."""
