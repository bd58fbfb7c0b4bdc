"""Run as a world's first process: boots hosts where the network fails half-way. Prints JSON: what is left and after."""

import json
import subprocess
import sys
from pathlib import Path

from drdrill.core.errors import CommandFailedError
from drdrill.mirror.network import Network, RegionLayout

ZONE, DISK_BYTES = "eu-west-1a", 1 << 20

network = Network([RegionLayout("eu-west-1", (ZONE,))], Path(sys.argv[1]))
network.build()
router = network.find_host("router-eu-west-1")


def rename_bridge(old: str, new: str) -> None:
    """Give the zone's bridge another name: what attaches a host to it fails then."""
    enter = ["nsenter", "--target", str(router.init_pid), "--net", "--", "ip", "link", "set", "dev"]
    subprocess.run([*enter, old, "name", new], check=True)


def count_inits() -> int:
    """Return how many hosts have an init, the router's included."""
    commands = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
    return sum(b"unshare" in one and b"host_init.py" in one for one in commands)


def fails(do: object, *arguments: object, **named: object) -> bool:
    """Tell whether a command of the network's fails."""
    assert callable(do)
    try:
        do(*arguments, **named)
    except CommandFailedError:
        return True
    return False


host = network.create_host("one", ZONE, disk_bytes=DISK_BYTES)
network.power_off(host)
rename_bridge("zone0", "elsewhere")
failed = fails(network.power_on, host), fails(network.create_host, "two", ZONE, disk_bytes=DISK_BYTES)
host.await_end()
left = {"powered": host.powered, "inits": count_inits(), "hosts": sorted(one.name for one in network.hosts())}
rename_bridge("elsewhere", "zone0")
network.power_on(host)
network.create_host("two", ZONE, disk_bytes=DISK_BYTES)
addresses = subprocess.run(
    ["nsenter", "--target", str(host.init_pid), "--net", "--", "ip", "-brief", "address"],
    check=True,
    capture_output=True,
    text=True,
).stdout
after = {"powered": host.powered, "inits": count_inits(), "attached": f"{host.address}/24" in addresses}
sys.stdout.write(json.dumps({"failed": failed, "left": left, "after": after}))
