"""A bare PostgreSQL server: the mirror's binaries and settings, and no control plane. What figures are compared with.

It lives in namespaces of its own, with its data on a tmpfs as a host of the mirror has it: when its first process
is killed, or whoever started it dies, the kernel ends all of it and nothing is left. Listens on loopback only.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg

from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql import SETTINGS
from drdrill.dataplane.postgresql_programs import find_binaries
from drdrill.mirror.host import UNPRIVILEGED

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = "127.0.0.1"
USER = "postgres"
DATABASE = "postgres"
_ACCESS = """\
local all all reject
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""
_WITHIN = timedelta(seconds=60)  # measured 1 s
_EVERY = timedelta(milliseconds=5)
_DISK = "size=2g,mode=755"  # in memory as a host's, and room for what a closed loop writes in some seconds

# $1 the disk's mount point, $2 the folder with the files of the configuration; the rest makes the data directory.
_MAKE_DISK = f'mount -t tmpfs -o {_DISK} none "$1"; exec {" ".join(UNPRIVILEGED)} sh -euc "$0" sh "$@"'
_MAKE_SERVER = """\
disk=$1 files=$2; shift 2
"$@" >&2
cp "$files/postgresql.conf" "$files/pg_hba.conf" "$disk/pgdata"
[ ! -e "$files/standby.signal" ] || cp "$files/standby.signal" "$disk/pgdata"
exec "$programs/postgres" -D "$disk/pgdata"
"""


class BareServer:
    """A primary, or a synchronous standby of another one. A context manager: entered, it answers."""

    def __init__(self, name: str, *, upstream: BareServer | None = None) -> None:
        self.name = name
        self.password: str = upstream.password if upstream else secrets.token_urlsafe(18)
        with socket.create_server((ADDRESS, 0)) as free:
            self.port: int = free.getsockname()[1]
        self._upstream = upstream
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix=f"drdrill-bare-{name}-")

    def __repr__(self) -> str:
        return f"BareServer({self.name}, port {self.port})"

    def __enter__(self) -> Self:
        """Make its data directory and start it; return when it answers queries."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, if it runs; nothing is left."""
        self.kill()
        self._folder.cleanup()

    def kill(self) -> None:
        """Kill all of its processes at once, as a power cut does."""
        if self._process is not None:
            # Its first process, which `unshare` waits for: the other way round nobody would collect it.
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            with contextlib.suppress(OSError):  # it ended by itself
                for pid in children.read_text(encoding="ascii").split() or [str(self._process.pid)]:
                    os.kill(int(pid), signal.SIGKILL)
            self._process.wait()
            self._process = None

    def connect(self) -> psycopg.Connection:
        """Connect as its superuser; every statement commits on its own."""
        return psycopg.connect(
            host=ADDRESS, port=self.port, user=USER, dbname=DATABASE, password=self.password, autocommit=True
        )

    def require_synchronous(self, standby: BareServer) -> None:
        """Acknowledge commits only when this standby has them, and return once it is in sync."""
        with closing(self.connect()) as connection:
            connection.execute(f"alter system set synchronous_standby_names = 'FIRST 1 (\"{standby.name}\")'")
            connection.execute("select pg_reload_conf()")
            wait_until(
                lambda: connection.execute("select sync_state from pg_stat_replication").fetchall()
                == [("sync",)],
                what=f"{standby.name} in sync", within=_WITHIN, every=_EVERY,
            )  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        """Return the environment of a program that asks this server."""
        return {
            "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "PGHOST": ADDRESS,
            "PGPORT": str(self.port), "PGUSER": USER, "PGDATABASE": DATABASE, "PGPASSWORD": self.password,
        }  # fmt: skip

    def _start(self) -> None:
        folder = Path(self._folder.name)
        disk, files, log = folder / "disk", folder / "files", folder / "log"
        disk.mkdir()
        files.mkdir()
        self._write_files(files)
        program = find_binaries()
        if self._upstream is None:
            make = [
                str(program / "initdb"), "-D", str(disk / "pgdata"), "-U", USER, "-A", "scram-sha-256",
                f"--pwfile={files / 'password'}", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync",
            ]  # fmt: skip
        else:
            make = [
                str(program / "pg_basebackup"), "-D", str(disk / "pgdata"), "-X", "stream", "-c", "fast", "--no-sync",
            ]  # fmt: skip
        asked = self._upstream.environment() if self._upstream else self.environment()
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork",
                 "--kill-child", "sh", "-euc", _MAKE_DISK, _MAKE_SERVER, str(disk), str(files), *make],
                stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, cwd="/",
                env={**asked, "programs": str(program)},
            )  # fmt: skip
        wait_until(lambda: self._answers(log), what=f"an answer of {self!r}", within=_WITHIN, every=_EVERY)

    def _write_files(self, files: Path) -> None:
        settings = {**SETTINGS, "listen_addresses": ADDRESS, "port": str(self.port)}
        if self._upstream is not None:
            settings["primary_conninfo"] = (
                f"host={ADDRESS} port={self._upstream.port} user={USER} password={self.password} "
                f"application_name={self.name} connect_timeout=2 tcp_user_timeout=2000"
            )
            (files / "standby.signal").touch()
        settings["dynamic_shared_memory_type"] = "mmap"  # of one that is killed, nothing stays in /dev/shm
        (files / "postgresql.conf").write_text(
            "".join(f"{name} = '{value}'\n" for name, value in settings.items()), encoding="utf-8"
        )
        (files / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
        (files / "password").write_text(self.password, encoding="ascii")

    def _answers(self, log: Path) -> bool:
        if self._process is None or self._process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
            raise EnvironmentFailedError(f"{self!r} ended while it started:\n" + "\n".join(said))
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True
