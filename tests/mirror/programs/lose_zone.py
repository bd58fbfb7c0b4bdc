"""Run as a world's first process: loses a zone and has it back.

Prints JSON: which hosts had power when, whose links were up, as `ip` says, and what became of one that is not there.
"""

import json
import subprocess
import sys
from pathlib import Path

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.link_switch import LinkSwitch
from drdrill.mirror.network import INTERNET, Network, RegionLayout, port_of

LOST, OTHER = "eu-west-1a", "eu-west-1b"
DISK_BYTES = 1 << 20

network = Network([RegionLayout("eu-west-1", (LOST, OTHER))], Path(sys.argv[1]))
network.build()


def read_power() -> dict[str, bool]:
    """Return whether each host of a zone has power."""
    return {host.name: host.powered for host in network.hosts() if host.zone in (LOST, OTHER)}


def read_links() -> dict[str, bool]:
    """Return of each host whether its link is up, where it has one."""
    router = network.find_host("router-eu-west-1")
    command = ["ip", "-json", "link"]
    inside = ["nsenter", "--target", str(router.init_pid), "--net", "--", *command]
    told = [
        json.loads(subprocess.run(one, capture_output=True, check=True).stdout) for one in (inside, command)
    ]
    up = {link["ifname"]: "UP" in link["flags"] for links in told for link in links}
    return {host.name: up[port_of(host)] for host in network.hosts() if port_of(host) in up}


for name, zone in (("lives", LOST), ("fenced", LOST), ("off", LOST), ("elsewhere", OTHER)):
    network.create_host(name, zone, disk_bytes=DISK_BYTES)
network.create_host("user", INTERNET, disk_bytes=DISK_BYTES)
network.create_host("visitor", INTERNET, disk_bytes=DISK_BYTES)
network.power_off(network.find_host("off"))
network.power_off(network.find_host("visitor"))
links = read_links()
inside, outside = LinkSwitch(network.find_host("router-eu-west-1")), LinkSwitch(None)
inside.set_down(port_of(network.find_host("lives")))  # while it has power: nothing else would have done it
outside.set_down(port_of(network.find_host("user")))
set_down = read_links()
lost = [host.name for host in network.lose_zone(LOST)]
network.create_host("made", LOST, disk_bytes=DISK_BYTES)
network.power_off(network.find_host("fenced"))
network.power_on(network.find_host("lives"))
dark = read_power()
again = [host.name for host in network.lose_zone(LOST)]
returned = sorted(host.name for host in network.return_zone(LOST))
after = read_power()
nothing = [host.name for host in network.return_zone(LOST)]
try:
    inside.set_down("nobody")
    refusal = ""
except EnvironmentFailedError as error:
    refusal = str(error)
answer = {
    "links": links,
    "set_down": set_down,
    "refusal": refusal,
    "lost": lost,
    "dark": dark,
    "again": again,
    "returned": returned,
    "after": after,
    "nothing": nothing,
}
sys.stdout.write(json.dumps(answer))
