"""Kill pods of a namespace at random, one after the other, for some seconds: without any grace. Prints which ones.

Usage: kill_pods.py CONTEXT NAMESPACE SECONDS SEED
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

_PAUSE_SECONDS = 3.0


def main(context: str, namespace: str, seconds: str, seed: str) -> int:
    """Kill until the time is over."""
    kubectl = ["kubectl", "--context", context, "--namespace", namespace]
    chance, until = random.Random(seed), time.monotonic() + float(seconds)  # noqa: S311 (a schedule, no secret)
    killed = []
    while time.monotonic() < until:
        asked = [
            "get",
            "pods",
            "--selector",
            "tier",
            "--field-selector",
            "status.phase=Running",
            "--output",
            "json",
        ]
        listed = subprocess.run([*kubectl, *asked], check=True, stdout=subprocess.PIPE)
        names = sorted(
            one["metadata"]["name"]
            for one in json.loads(listed.stdout)["items"]
            if "deletionTimestamp" not in one["metadata"]
        )
        if names:
            victim = chance.choice(names)
            kill = ["delete", "pod", victim, "--grace-period=0", "--force", "--wait=false"]
            subprocess.run([*kubectl, *kill], check=True, capture_output=True)
            killed.append(victim)
        time.sleep(_PAUSE_SECONDS * chance.uniform(0.5, 1.5))
    json.dump(killed, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
