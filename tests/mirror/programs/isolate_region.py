"""Run as a world's first process: isolates a region and connects it again. Prints JSON: who hears whom, and when."""

import json
import subprocess
import sys
import time
from pathlib import Path

from drdrill.load.reach import look
from drdrill.mirror.host import WorldHost
from drdrill.mirror.isolation import Isolation
from drdrill.mirror.network import DNS_ADDRESS, INTERNET, Network, RegionLayout, managed_zone

HERE, THERE = "eu-west-1", "eu-central-1"
PORT, DISK_BYTES, SECONDS = 5432, 1 << 20, 0.3
OPEN = """
import socket, sys
connection = socket.create_connection((sys.argv[1], 7000), timeout=5)
connection.sendall(b"1")
connection.recv(1)
print("open", flush=True)
sys.stdin.readline()
connection.settimeout(1)
try:
    connection.sendall(b"2")
    print(connection.recv(1).decode(), flush=True)
except OSError as error:
    print(error, flush=True)
sys.stdin.readline()
connection.settimeout(10)
print(connection.recv(1).decode(), flush=True)
"""
SERVE = """
import socket
with socket.create_server(("0.0.0.0", 7000)) as server:
    print("serves", flush=True)
    while True:
        connection, _ = server.accept()
        while said := connection.recv(1):
            connection.sendall(said)
"""

network = Network([RegionLayout(HERE, ("a1", "a2")), RegionLayout(THERE, ("b1",))], Path(sys.argv[1]))
network.build()
apis = {name: network.add_endpoints(name, [1])[0] for name in (HERE, THERE, "us-east-1")}
users = network.create_host("users", INTERNET, disk_bytes=DISK_BYTES)
resolver = network.create_host("dns", INTERNET, disk_bytes=DISK_BYTES, address=DNS_ADDRESS)
one = network.create_host("one", "a1", disk_bytes=DISK_BYTES)
two = network.create_host("two", "a2", disk_bytes=DISK_BYTES)
managed = network.create_host("managed", managed_zone(HERE), disk_bytes=DISK_BYTES)
far = network.create_host("far", "b1", disk_bytes=DISK_BYTES)
isolation = Isolation(network.regions)


def hears(host: WorldHost | None, address: str) -> str:
    """Return `yes` when somebody is there, a refusal included, `silence`, or what else came back; None: the core."""
    if host is None:
        said = look(address, PORT, SECONDS)["error"]
    else:
        command = [sys.executable, "-m", "drdrill.load.reach", address, str(PORT), str(SECONDS)]
        enter = ["nsenter", "--target", str(host.init_pid), "--net", "--"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, check=True)
        said = json.loads(done.stdout)["error"]
    return {"None": "yes", "timed out": "silence"}.get(
        str(said), "yes" if "refused" in str(said) else str(said)
    )


def look_around() -> dict[str, str]:
    """Return who hears whom."""
    ways = {
        "users to host": (users, one.address),
        "users to managed": (users, managed.address),
        "users to API": (users, apis[HERE]),
        "far to host": (far, two.address),
        "far to API": (far, apis[HERE]),
        "host to users": (one, users.address),
        "host to far": (one, far.address),
        "host to far API": (one, apis[THERE]),
        "host to global API": (one, apis["us-east-1"]),
        "host to host": (one, two.address),
        "host to managed": (one, managed.address),
        "host to API": (two, apis[HERE]),
        "host to resolver": (one, DNS_ADDRESS),
        "supervisor to host": (None, one.address),
        "supervisor to API": (None, apis[HERE]),
        "supervisor to far": (None, far.address),
        "users to far": (users, far.address),
        "users to far API": (users, apis[THERE]),
        "far to far API": (far, apis[THERE]),
    }
    return {name: hears(host, address) for name, (host, address) in ways.items()}


def read_rules() -> str:
    """Return the core's rules, as `ip` lists them."""
    return subprocess.run(["ip", "rule", "show"], capture_output=True, text=True, check=True).stdout


def enter(host: WorldHost, program: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a program on a host, which says a line when it is ready."""
    command = [
        "nsenter",
        "--target",
        str(host.init_pid),
        "--net",
        "--",
        sys.executable,
        "-c",
        program,
        *arguments,
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def ask(process: "subprocess.Popen[str]") -> str:
    """Have a program go on, and return what it says."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


rules = [read_rules()]
answer: dict[str, object] = {"before": look_around(), "rules": rules}
server = enter(one, SERVE)
client = enter(users, OPEN, one.address)
begun = time.monotonic()
for _ in range(2):
    isolation.isolate(HERE)
answer["seconds"] = time.monotonic() - begun
answer["isolated"] = look_around()
rules.append(read_rules())
answer["open connection"] = ask(client)
answer["said"] = [isolation.is_isolated(HERE), isolation.hear_each_other(HERE, THERE)]
for _ in range(2):
    isolation.connect(HERE)
answer["connected"] = look_around()
rules.append(read_rules())
answer["open connection again"] = ask(client)
answer["said again"] = [isolation.is_isolated(HERE), isolation.hear_each_other(HERE, THERE)]
for process in (client, server):
    process.kill()
sys.stdout.write(json.dumps(answer))
