"""What Valkey's own words mean: roles, offsets, and a link that is not up."""

from __future__ import annotations

import pytest

from drdrill.dataplane.valkey_replication import ReplicaReading, parse_reading

PRIMARY = (
    "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
    "slave0:ip=10.20.1.10,port=6379,state=online,offset=112,lag=0,type=replica\r\n"
    "slave1:ip=10.20.2.10,port=6379,state=online,offset=98,lag=3,type=replica\r\n"
    "master_repl_offset:140\r\n# Clients\r\nconnected_clients:4\r\n# Memory\r\nused_memory:1024\r\n"
)
REPLICA = (
    "role:slave\r\nmaster_host:10.20.0.10\r\nmaster_port:6379\r\nmaster_link_status:{}\r\n"
    "slave_repl_offset:99\r\nmaster_repl_offset:140\r\n"
)


def test_a_primary() -> None:
    """A primary says how far it is, and how far every replica has acknowledged."""
    reading = parse_reading(PRIMARY)
    assert (reading.primary, reading.offset, reading.following) == (True, 140, None)
    assert reading.replicas == (ReplicaReading("10.20.1.10", 112, 0), ReplicaReading("10.20.2.10", 98, 3))
    assert (reading.connections, reading.used_bytes) == (4, 1024)


@pytest.mark.parametrize("status", ["up", "down"])
def test_a_replica(status: str) -> None:
    """A replica is as far as it has applied, and follows its primary only while its link is up."""
    reading = parse_reading(REPLICA.format(status))
    assert (reading.primary, reading.offset) == (False, 99)
    assert reading.follows("10.20.0.10") == (status == "up")
    assert not reading.follows("10.20.9.9")


def test_what_is_no_answer() -> None:
    """A text that is none of Valkey's is no reading."""
    with pytest.raises(KeyError):
        parse_reading("hello\r\n")
