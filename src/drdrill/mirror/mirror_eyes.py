"""How observers of faults look: through programs on the users' host, the operators' one, or a machine in a zone."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import EnvironmentFailedError
from drdrill.dataplane.postgresql_programs import PORT, find_binaries
from drdrill.mirror.access_keys import ACCESS_KEY, SECRET_KEY
from drdrill.mirror.host import program_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.mirror.control import Control
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.world import World

    Reading = Mapping[str, Any]

_LOOK_WITHIN = timedelta(seconds=10)
_LOOK_TIMEOUT_SECONDS = "0.5"  # a host of the mirror answers within 1 ms when it lives
_ASK_WITHIN = timedelta(
    seconds=40
)  # boto3 with four clients takes 1 s to start, several under load; a silent API 5 s


class MirrorEyes:
    """Looks from the users' host, from where this process is, or through a machine in a zone."""

    def __init__(
        self,
        world: World | None,
        directory: MirrorDirectory,
        control: Control,
        look_within: timedelta = _LOOK_WITHIN,
    ) -> None:
        self._world = world
        self._directory = directory
        self._control = control
        self._look_within = look_within
        self.outside = "the users' host" if world else "the operator's host"

    def from_outside(self, address: str) -> Reading:
        """Look at a server from the users' host, or the operator's."""
        done = self._run(
            "users",
            [sys.executable, "-m", "drdrill.load.reach", address, str(PORT), _LOOK_TIMEOUT_SECONDS],
            {},
            looking=f"whether {address} can be reached",
        )
        if done.returncode:
            raise EnvironmentFailedError(f"the look from {self.outside} failed: {done.stderr.strip()}")
        look: Reading = json.loads(done.stdout)
        return look

    def from_zone(self, zone: str, address: str) -> Reading:
        """Look at a server from another machine in a zone."""
        look: Reading = self._control.ask("look_from_zone", zone=zone, address=address)["look"]
        return look

    def at_disk(self, host: str) -> Reading:
        """Let a host's own programs look at its disk."""
        return self._control.ask("read_disk", host=host)

    def at_apis(self, region: str, asked: Sequence[str]) -> Mapping[str, str]:
        """Have a program of the operators ask AWS in a region; the errors' codes, `` where it was answered."""
        command = [sys.executable, "-m", "drdrill.mirror.ask_apis", region, *asked]
        signing = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_CA_BUNDLE": str(self._directory.path / "authority.pem"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        asking = f"whether the APIs of {region} answer"
        done = self._run("operator", command, signing, looking=asking, within=_ASK_WITHIN)
        if done.returncode:
            raise EnvironmentFailedError(
                f"AWS could not be asked on the operators' host: {done.stderr.strip()}"
            )
        said: Mapping[str, str] = json.loads(done.stdout)
        return said

    def where_led(self, name: str, port: int) -> Mapping[str, bool]:
        """Look from the users' host, or the operator's, where a name leads, and whether anybody answers there."""
        command = [sys.executable, "-m", "drdrill.load.lead", name, str(port), _LOOK_TIMEOUT_SECONDS]
        done = self._run("users", command, {}, looking=f"where {name} leads")
        if done.returncode:
            raise EnvironmentFailedError(f"the look from {self.outside} failed: {done.stderr.strip()}")
        addresses: Mapping[str, bool] = json.loads(done.stdout)["addresses"]
        return addresses

    def into_database(self, details: Reading, query: str) -> tuple[int, str]:
        """Ask a database by its endpoint's name, as its user, from the operator's host: exit status and words."""
        secret = (self._directory.secrets / "database-password").read_text(encoding="ascii")
        command = [
            str(find_binaries() / "psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
            "--set", "ON_ERROR_STOP=1", "--host", details["endpoint"], "--port", str(PORT),
            "--username", details["user"], "--dbname", details["database"], "--command", query,
        ]  # fmt: skip
        variables = {"PGPASSWORD": secret, "PGCONNECT_TIMEOUT": "3"}
        done = self._run("operator", command, variables, looking=f"what {details['endpoint']} answers")
        return done.returncode, (done.stdout + done.stderr).strip()

    def _run(
        self,
        host: str,
        command: Sequence[str],
        variables: Mapping[str, str],
        *,
        looking: str,
        within: timedelta | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on a host of the world; where there is no way into it, where this process is."""
        seconds = (within or self._look_within).total_seconds()
        try:
            return subprocess.run(
                [*(self._world.entry(host) if self._world else ()), *command],
                capture_output=True, text=True, timeout=seconds, check=False,
                env=program_environment(self._directory.disks / host, variables), cwd="/", start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            text = f"the look {looking}, from the host `{host}`, did not end within {seconds:g} s."
            raise EnvironmentFailedError(text) from error
