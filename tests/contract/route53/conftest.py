"""What the contract's tests see of an environment: a client of Route 53, and answers as operators' machines get them.

Only this file knows that the environment is an embedded mirror.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.network import DNS_ADDRESS
from tests.contract.elbv2.conftest import balancers, elb, subnets, targets
from tests.contract.rds.conftest import client, environment, patience, plan, repository
from tests.contract.terraform import terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.mirror.embedded import Embedded

__all__ = [
    "balancers", "client", "elb", "environment", "patience", "plan", "repository", "subnets", "targets", "terraform",
]  # fmt: skip

PORT = 8080
SEARCHED = "all is well"
_WITHIN = timedelta(seconds=30)
_ASK = (
    "import socket, sys\n"
    "from dnslib import DNSRecord\n"
    "q = DNSRecord.question(sys.argv[1], sys.argv[2])\n"
    "r = DNSRecord.parse(q.send(sys.argv[3], 53, tcp=sys.argv[4] == 'tcp', timeout=5))\n"
    "print(*(str(one.rdata) for one in r.rr), sep='\\n')\n"
)
_SERVE = (
    "import http.server, sys, threading\n"
    "class H(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200 if self.path == '/health' else 404); self.end_headers()\n"
    "        self.wfile.write(sys.argv[2].encode())\n"
    "    def log_message(self, *_): pass\n"
    "server = http.server.ThreadingHTTPServer(('0.0.0.0', int(sys.argv[1])), H)\n"
    "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
    "sys.stdin.read()\n"
)


@dataclass(frozen=True, slots=True)
class Operator:
    """The machine of operators: what it is answered, and an endpoint of users' that it is made to be."""

    environment: Embedded

    @property
    def address(self) -> str:
        """Its address on the internet."""
        hosts = self.environment.world.control.ask("hosts")["hosts"]
        return next(str(one["address"]) for one in hosts if one["name"] == "operator")

    def ask(self, name: str, kind: str = "A", *, over: str = "udp") -> list[str]:
        """Return the data of what a name is answered with, sorted."""
        command = [sys.executable, "-c", _ASK, name, kind, DNS_ADDRESS, over]
        said = self.environment.run_for_operator(command, within=_WITHIN)
        return sorted(line for line in said.splitlines() if line)

    def dig(self, *arguments: str) -> str:
        """Return what `dig` says."""
        return self.environment.run_for_operator(["dig", f"@{DNS_ADDRESS}", *arguments], within=_WITHIN)

    @contextmanager
    def endpoint(self) -> Iterator[None]:
        """Serve HTTP on `PORT`: `/health` is well and says `SEARCHED`, everything else is not there."""
        process = subprocess.Popen(
            self.environment.operator_command([sys.executable, "-c", _SERVE, str(PORT), SEARCHED]),
            stdin=subprocess.PIPE, env=self.environment.operator_environment(), cwd="/",
        )  # fmt: skip
        try:
            yield
        finally:
            process.communicate()  # it ends with its standard input

    def await_answer(self, name: str, address: str, *, within: timedelta) -> None:
        """Wait until a name is answered with an address."""
        wait_until(
            lambda: self.ask(name) == [address], what=f"{name} at {address}", within=within, every=timedelta(seconds=1)
        )  # fmt: skip


@pytest.fixture(scope="module")
def operator(environment: Embedded) -> Operator:
    """Return the machine of operators."""
    return Operator(environment)


@pytest.fixture(scope="module")
def route53(client: Callable[..., Any]) -> Any:
    """Return a client of Route 53."""
    return client("us-east-1", "route53")


@pytest.fixture(scope="module")
def away(environment: Embedded) -> Callable[[], Any]:
    """Return what takes Route 53's control plane away for as long as a `with` lasts."""
    control = environment.world.control

    @contextmanager
    def take_away() -> Iterator[None]:
        control.ask("break_control_plane", service="route53", region="us-east-1")
        try:
            yield
        finally:
            control.ask("restore_control_plane", service="route53", region="us-east-1")

    return take_away
