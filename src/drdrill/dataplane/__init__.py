"""Drivers of the real servers (PostgreSQL, DNS, replication link) over a host port that is declared here."""
