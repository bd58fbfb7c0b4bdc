"""Bring the company's services into both regions from Git, by its CI, as a release would.

Runs on the operator's host. The primary region gets production's size, the recovery region its pilot light. Returns
when every target group has the targets that it is to have, all of them healthy, and users are led to the primary
region.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import WaiterError

_SYSTEM = Path(__file__).resolve().parents[2] / "system"
_CI = "ci.internal"
_REPOSITORY = "system"
_WITHIN_SECONDS = 120  # measured 8 s
# Seconds, and looks: a pod that a deployment replaces drains for 30 s.
_HEALTHY_WITHIN = {"Delay": 1, "MaxAttempts": 90}
_LED_WITHIN_SECONDS = 90  # three looks of the switch's health check, 10 s apart, from when the mirror came up


class DeployError(Exception):
    """What did not come up, in the words of who deployed it."""


def main() -> int:
    """Push and deploy; returns the exit status."""
    settings = json.loads((_SYSTEM / "terraform" / "settings.json").read_text(encoding="utf-8"))
    regions = settings["regions"]
    try:
        push()
        with ThreadPoolExecutor(len(regions)) as pool:
            for said in pool.map(lambda one: deploy(one[0], one[1]["region"]), regions.items()):
                sys.stdout.write(f"{said}\n")
        await_way(settings["domain"])
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def push() -> None:
    """Push the manifests to the CI's repository, as they are now."""
    folder = Path.home() / _REPOSITORY
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_SYSTEM / "manifests", folder)
    ask("POST", f"/repositories/{_REPOSITORY}", None)
    git = ["git", "-C", str(folder), "-c", "user.name=release", "-c", "user.email=release@meqenet.et"]
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["commit", "--quiet", "--message", "Release"],
        ["push", "--quiet", "--force", f"git://{_CI}/{_REPOSITORY}", "main"],
    ):
        ended = subprocess.run([*git, *command], check=False, capture_output=True, text=True)
        if ended.returncode:
            raise DeployError(f"git {command[0]} failed: {ended.stderr.strip()}")


def deploy(role: str, region: str) -> str:
    """Deploy what belongs into a region, and return a sentence when all of it serves."""
    began = time.monotonic()
    for path in ("definitions", f"overlays/{role}"):
        wanted = {
            "repository": _REPOSITORY,
            "revision": "main",
            "path": path,
            "cluster": f"meqenet.{region}",
            "within_seconds": _WITHIN_SECONDS,
        }
        try:
            ask("POST", "/deploy", wanted)
        except DeployError as error:
            raise DeployError(f"{path} does not run in {region}:\n{error}") from error
    count = await_targets(region)
    return f"the services of {region} serve, {count} pods ({time.monotonic() - began:.0f} s)"


def ask(method: str, path: str, content: dict[str, object] | None) -> Any:
    """Ask the machine that deploys; raises `DeployError` with its words."""
    body = json.dumps(content).encode() if content is not None else b""
    request = urllib.request.Request(f"http://{_CI}{path}", body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_WITHIN_SECONDS + 60) as answer:  # noqa: S310 (a host of the mirror)
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise DeployError(json.load(error)["error"]) from error
    except (OSError, http.client.HTTPException) as error:
        raise DeployError(f"http://{_CI}{path} did not answer: {error}") from error


def await_targets(region: str) -> int:
    """Wait until all services have targets and all of these are healthy; return how many there are."""
    client = botocore.session.get_session().create_client("elbv2", region_name=region)
    count = 0
    for group in client.describe_target_groups()["TargetGroups"]:
        asked = {"TargetGroupArn": group["TargetGroupArn"]}
        try:
            client.get_waiter("target_in_service").wait(**asked, WaiterConfig=_HEALTHY_WITHIN)
        except WaiterError as error:
            seen = client.describe_target_health(**asked)["TargetHealthDescriptions"]
            told = ", ".join(one["TargetHealth"]["State"] for one in seen) or "no target"
            raise DeployError(
                f"targets of {group['TargetGroupName']} in {region} do not become healthy: {told}. "
                f"What registers them says why: kubectl --context meqenet.{region} --namespace kube-system "
                "logs deployment/aws-load-balancer-controller"
            ) from error
        count += len(client.describe_target_health(**asked)["TargetHealthDescriptions"])
    return count


def await_way(domain: str) -> None:
    """Wait until users are led to the primary region alone: a health check that is new leads them away from it."""
    name, wanted = f"api.{domain}", f"api.primary.{domain}"
    deadline = time.monotonic() + _LED_WITHIN_SECONDS
    while not (led := resolve(name)) or led - resolve(wanted):
        if time.monotonic() > deadline:
            raise DeployError(f"{name} leads to {', '.join(sorted(led)) or 'nothing'}, not to {wanted}.")
        time.sleep(1)


def resolve(name: str) -> set[str]:
    """Return the addresses of a name; none when nobody knows it."""
    try:
        return {str(one[4][0]) for one in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)}
    except socket.gaierror:
        return set()


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
