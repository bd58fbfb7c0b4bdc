"""What a load balancer adds to a request: through it, and to the same server directly, in turns.

A mirror with an Application Load Balancer over real nodes; the server stands in one of its zones and answers at once.
One connection each, kept alive, one request after another, from the operator's host: what is measured is the way.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from _figures import Figure, Reference, median, print_figures, round_all, say
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan

_PORT = 8080
_WITHIN = timedelta(minutes=5)  # measured 10 s
_PROGRAMS = Path(__file__).parent


def main() -> None:
    """Bring a mirror up, and have both asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=500, help="of each round")
    arguments = parser.parse_args()
    plan = load_plan(Path("scenarios/plan.yaml"))
    region = plan.regions.primary
    zone = region.zones[0]
    with tempfile.TemporaryDirectory(prefix="drdrill-proxy-") as folder, Embedded(Path.cwd(), plan) as mirror:
        say("the mirror is up")
        server = [sys.executable, str(_PROGRAMS / "_plain_server.py"), str(_PORT)]
        mirror.start_client("server", server, log=Path(folder) / "server.log", zone=zone)
        host = mirror.world.control.ask("bystander", zone=zone)["host"]
        hosts = mirror.world.control.ask("hosts")["hosts"]
        address = next(one["address"] for one in hosts if one["name"] == host)
        client = [
            "env", f"PYTHONPATH={_PROGRAMS}", sys.executable, str(_PROGRAMS / "_balanced.py"), region.name,
            address, str(_PORT), str(arguments.rounds), str(arguments.requests),
        ]  # fmt: skip
        measured = json.loads(mirror.run_for_operator(client, within=_WITHIN))
    direct, balanced = measured["direct"], measured["balanced"]
    ratios = [through / plain for through, plain in zip(balanced, direct, strict=True)]
    figure = Figure(
        name="a request through a load balancer ÷ a direct one",
        value=median(ratios),
        unit="ratio",
        better="lower",
        method=(
            "One kept connection each, from the operator's host to a server in a zone that answers at once: through an "
            f"Application Load Balancer of three nodes, and directly; in rounds of {arguments.requests} requests; "
            "median of the rounds' ratios. Reference: seconds of a direct request."
        ),
        samples=round_all(ratios),
        reference=Reference("a direct request", median(direct), "s"),
    )
    print_figures("proxy", [figure])


if __name__ == "__main__":
    main()
