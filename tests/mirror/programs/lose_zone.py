"""Run as a world's first process: loses a zone and has it back. Prints JSON: which hosts had power when."""

import json
import sys
from pathlib import Path

from drdrill.mirror.network import Network, RegionLayout

LOST, OTHER = "eu-west-1a", "eu-west-1b"
DISK_BYTES = 1 << 20

network = Network([RegionLayout("eu-west-1", (LOST, OTHER))], Path(sys.argv[1]))
network.build()


def read_power() -> dict[str, bool]:
    """Return whether each host of a zone has power."""
    return {host.name: host.powered for host in network.hosts() if host.zone in (LOST, OTHER)}


for name, zone in (("lives", LOST), ("fenced", LOST), ("off", LOST), ("elsewhere", OTHER)):
    network.create_host(name, zone, disk_bytes=DISK_BYTES)
network.power_off(network.find_host("off"))
lost = [host.name for host in network.lose_zone(LOST)]
network.create_host("made", LOST, disk_bytes=DISK_BYTES)
network.power_off(network.find_host("fenced"))
network.power_on(network.find_host("lives"))
dark = read_power()
again = [host.name for host in network.lose_zone(LOST)]
returned = sorted(host.name for host in network.return_zone(LOST))
after = read_power()
nothing = [host.name for host in network.return_zone(LOST)]
answer = {
    "lost": lost,
    "dark": dark,
    "again": again,
    "returned": returned,
    "after": after,
    "nothing": nothing,
}
sys.stdout.write(json.dumps(answer))
