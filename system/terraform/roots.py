"""Apply, plan or destroy the company's Terraform roots, each in its order and with its settings.

    python roots.py apply                        # everything, from nothing
    python roots.py plan                         # exit status 2 when anything would change
    python roots.py apply platform/recovery --set capacity=production

A root that stands in each region is named with its role. State is in the bucket of `settings.json`; Terraform's own
files go to the folder of TF_DATA_DIR, or to `~/.meqenet/terraform`: nothing is written beside the roots. A region that
serves users is not made a pilot light: that is what the old configuration says after a failover.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = Path(__file__).resolve().parent
# In a group roots do not need each other; a group needs those before it.
_GROUPS = (
    ("state",),
    ("foundation/primary", "foundation/recovery"),
    ("platform/primary",),
    ("platform/recovery",),
    ("global",),
)
_CHANGES = 2  # the exit status of `terraform plan -detailed-exitcode` when something would change
_MINUTE = 60


class RootsError(Exception):
    """What cannot be done as it was asked for."""


class TerraformError(RootsError):
    """A root that Terraform could not do, with its own words, without the empty lines between them."""

    def __init__(self, action: str, root: str, said: str) -> None:
        words = "\n".join(line for line in said.splitlines() if line.strip())
        super().__init__(f"terraform {action} of {root} failed:\n{words}")


@dataclass(frozen=True, slots=True)
class Root:
    """A root, such as `global` or `platform/recovery`, as it is applied."""

    name: str
    settings: dict[str, object]
    folder: Path

    @property
    def role(self) -> str | None:
        """What the region is in the plan; None for roots that stand once."""
        return self.name.partition("/")[2] or None

    def environment(self, changes: dict[str, str]) -> dict[str, str]:
        """Return Terraform's environment: every setting as a variable, of which a root takes those that it declares."""
        role = self.role
        regions = self.settings["regions"]
        own = {**regions[role], "role": role} if role else {}  # type: ignore[index]
        common = {
            "domain": self.settings["domain"],
            "primary_region": regions["primary"]["region"],  # type: ignore[index]
            "state_bucket": self.settings["state_bucket"],
            "state_region": self.settings["state_region"],
            "bucket": self.settings["state_bucket"],
            "region": self.settings["state_region"],
        }
        variables = {**common, **own, **changes}
        given = {
            f"TF_VAR_{name}": value if isinstance(value, str) else json.dumps(value)
            for name, value in variables.items()
        }
        if "PGPASSWORD" in os.environ:
            given["TF_VAR_database_password"] = os.environ["PGPASSWORD"]
        return {
            **os.environ,
            **given,
            "TF_IN_AUTOMATION": "1",
            "TF_DATA_DIR": str(self.folder / ".terraform"),
        }

    def run(self, action: str, changes: dict[str, str]) -> int:
        """Do it, and return Terraform's exit status; raises `TerraformError` with its words when it fails."""
        environment = self.environment(changes)
        self._initialise(environment)
        options = ["-input=false", "-no-color", "-lock-timeout=60s"]
        options += ["-detailed-exitcode"] if action == "plan" else ["-auto-approve"]
        holder = self._note_holder()
        ended = self._terraform(action, *options, environment=environment)
        self._forget_holder(holder, ended.returncode)
        if ended.returncode not in (0, *((_CHANGES,) if action == "plan" else ())):
            raise TerraformError(action, self.name, ended.stderr or ended.stdout)
        if ended.returncode:
            sys.stdout.write(ended.stdout)
        return ended.returncode

    def capacity(self, changes: dict[str, str]) -> str:
        """Return how much the region of this root is to carry; nothing for roots that know no capacity."""
        regions = self.settings["regions"]
        own = regions[self.role].get("capacity", "") if self.role else ""  # type: ignore[index]
        return str(changes.get("capacity", own)) if self.name.startswith("platform/") else ""

    def _note_holder(self) -> Path:
        """Note who is about to lock the state, for whoever finds the lock after this machine died; return where."""
        held = self.folder / "holders"
        held.mkdir(exist_ok=True)
        note = held / f"{time.time_ns()}.json"
        said = {"at": time.time(), **describe_process(os.getpid())}
        note.write_text(f"{json.dumps(said)}\n", encoding="utf-8")
        return note

    def _forget_holder(self, note: Path, status: int) -> None:
        """Forget it when Terraform ended by itself, and so gave up its lock; with success nobody else had one."""
        if status < 0:
            return
        for one in note.parent.glob("*.json") if status in (0, _CHANGES) else (note,):
            one.unlink(missing_ok=True)

    def _initialise(self, environment: dict[str, str]) -> None:
        """Copy the root to where Terraform may write, and have it find its provider and its state."""
        for earlier in self.folder.glob("*.tf"):  # a file that was taken away must not go on being applied
            earlier.unlink()
        shutil.copytree(_FOLDER / self.name.partition("/")[0], self.folder, dirs_exist_ok=True)
        if (self.folder / ".terraform" / "ready").exists() and self._has_provider():
            return
        backend = (
            []
            if self.name == "state"
            else [
                f"-backend-config=bucket={self.settings['state_bucket']}",
                f"-backend-config=region={self.settings['state_region']}",
                f"-backend-config=key={self.name}",
                "-backend-config=use_lockfile=true",
            ]
        )
        ended = self._terraform("init", "-input=false", "-no-color", *backend, environment=environment)
        if ended.returncode:
            raise TerraformError("init", self.name, ended.stderr)
        (self.folder / ".terraform" / "ready").touch()

    def _has_provider(self) -> bool:
        """Tell whether the provider is still where it was found: another version may have taken its place."""
        found = list((self.folder / ".terraform" / "providers").glob("*/*/*/*/*"))
        return bool(found) and all(path.exists() for path in found)

    def _terraform(self, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        program = shutil.which("terraform") or shutil.which("tofu")
        if program is None:
            raise RootsError("neither `terraform` nor `tofu` is on the PATH.")
        return subprocess.run(
            [program, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def describe_process(pid: int) -> dict[str, object]:
    """Return what tells a process from all others, of other machines and of after a restart, too."""
    start = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    return {
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip(),
        "space": str(Path(f"/proc/{pid}/ns/pid").readlink()),
        "pid": pid,
        "start": start,
    }


def choose(names: list[str]) -> list[list[Root]]:
    """Return the roots of these names, all without any, in groups that need those before them."""
    settings = json.loads((_FOLDER / "settings.json").read_text(encoding="utf-8"))
    folder = Path(os.environ.get("TF_DATA_DIR") or Path.home() / ".meqenet" / "terraform")
    known = [name for group in _GROUPS for name in group]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RootsError(f"there is no root `{unknown[0]}`; there are {', '.join(known)}.")
    groups = [
        [Root(name, settings, folder / name) for name in group if not names or name in names]
        for group in _GROUPS
    ]
    return [group for group in groups if group]


def read_weights(domain: str) -> dict[str, int]:
    """Return which share of the public name each region has, by its role; nothing before there is such a name.

    A region to which the name leads although its record has no weight (`failover.switch_by_health`) has a share, too.
    """
    import boto3  # noqa: PLC0415 (only who applies a pilot light needs it)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (likewise)

    name = f"api.{domain}."
    try:
        route53 = boto3.client("route53")
        zones = route53.list_hosted_zones_by_name(DNSName=f"{domain}.")["HostedZones"]
        found = [zone["Id"] for zone in zones if zone["Name"] == f"{domain}."]
        records = [
            record
            for zone in found
            for record in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        ]
    except (BotoCoreError, ClientError) as error:
        raise RootsError(
            f"who serves users cannot be read, so no region is made a pilot light: {error}"
        ) from error
    weights = {
        one["SetIdentifier"]: one["Weight"] for one in records if one["Name"] == name and "Weight" in one
    }
    led = _resolve(name)
    return {role: weight or len(led & _resolve(f"api.{role}.{domain}.")) for role, weight in weights.items()}


def _resolve(name: str) -> set[str]:
    """Return the addresses of a name; none when nobody knows it."""
    try:
        return {str(one[4][0]) for one in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def refuse_what_serves(
    roots: list[Root], changes: dict[str, str], weights: Callable[[str], dict[str, int]]
) -> None:
    """Raise `RootsError` for a region that is to become a pilot light while users are led to it."""
    for root in roots:
        if root.capacity(changes) != "pilot_light":
            continue
        share = weights(str(root.settings["domain"])).get(str(root.role), 0)
        if share > 0:
            raise RootsError(
                f"{root.name} would be made a pilot light, and users are led there (weight {share}). Nothing was "
                f'changed.\nWhat to do: write "capacity": "production" for {root.role} into settings.json, or '
                "`--set capacity=production`. After the failback it is a pilot light again."
            )


def do(action: str, names: list[str], changes: dict[str, str]) -> int:
    """Do it to every root; returns 2 when a plan would change something."""
    groups = choose(names)
    if action == "apply":
        refuse_what_serves([root for group in groups for root in group], changes, read_weights)
    status = 0
    for group in reversed(groups) if action == "destroy" else groups:
        with ThreadPoolExecutor(len(group)) as pool:
            status = max(status, *pool.map(lambda root: _do_one(action, root, changes), group))
    return status


def _do_one(action: str, root: Root, changes: dict[str, str]) -> int:
    began = time.monotonic()
    if action != "plan":
        _say(f"{root.name}: {'being applied' if action == 'apply' else 'being destroyed'}")
    status = root.run(action, changes)
    took = time.monotonic() - began
    said = {"apply": "applied", "destroy": "destroyed"}.get(
        action, "would change" if status else "nothing to change"
    )
    minutes, seconds = divmod(round(took), _MINUTE)
    _say(f"{root.name}: {said} ({f'{minutes} min ' if minutes else ''}{seconds} s)")
    return status


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Read the command line and do it; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("apply", "plan", "destroy"))
    parser.add_argument("roots", nargs="*", help="such as platform/recovery; all without any")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another value of a variable"
    )
    arguments = parser.parse_args()
    changes = dict(change.partition("=")[::2] for change in arguments.set)
    try:
        return do(arguments.action, arguments.roots, changes)
    except RootsError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
