"""The company's services as processes on the loopback device, with real PostgreSQL and Valkey, and moto for S3."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from drdrill.core.waiting import wait_until
from drdrill.dataplane.valkey_programs import find_server
from tests.load.conftest import ADDRESSES, PASSWORD, Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

SERVICES = ("auth", "users", "payments", "documents", "notifications")
USER_PASSWORD = "let me pay"  # noqa: S105 (of the migration's users)
WITHIN = timedelta(seconds=30)  # a service starts in 0.6 s, all five at once on a busy machine in 6
EVERY = timedelta(milliseconds=50)
HOME = Path(__file__).resolve().parents[3] / "system" / "services"
_HERE = ADDRESSES[0]
_DATABASES = {"payments": "payments"}  # of services; all others share `users`


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


def _free_port() -> int:
    with socket.create_server((_HERE, 0)) as free:
        port: int = free.getsockname()[1]
    return port


class Company:
    """All services and what they need; each can be killed and started again."""

    def __init__(self, folder: Path, postgres: Postgres, objects_url: str) -> None:
        self._folder = folder
        self.postgres = postgres
        self._ports = {service: _free_port() for service in SERVICES}
        self._cache_port = _free_port()
        self._cache: subprocess.Popen[bytes] | None = None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        password = folder / "password"
        password.write_text(PASSWORD, encoding="ascii")
        self._variables = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(HOME), "SERVICE_ZONE": "eu-west-1a", "HOSTNAME": "test",
            "DATABASE_HOST": _HERE, "DATABASE_PORT": str(postgres.port), "DATABASE_PASSWORD_FILE": str(password),
            "CACHE_HOST": _HERE, "CACHE_PORT": str(self._cache_port), "DOCUMENTS_BUCKET": "documents",
            "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nobody",
            "AWS_ENDPOINT_URL_S3": objects_url,
            "USERS_URL": f"http://{_HERE}:{self._ports['users']}",
            "NOTIFICATIONS_URL": f"http://{_HERE}:{self._ports['notifications']}",
        }  # fmt: skip

    def migrate(self) -> None:
        """Bring both schemas up to date, as a job of the deployment does."""
        for database in ("payments", "users"):
            command = [sys.executable, "-m", "meqenet.migrate", database]
            subprocess.run(command, env=self._told(database), check=True, capture_output=True)

    def start(
        self, *services: str, grace_seconds: int = 1, told: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Start services, all if none is named; their answers are waited for. `grace_seconds`: when they end.

        `told`: what else they are told.
        """
        for service in set(services or SERVICES) - set(self._processes):
            with (self._folder / f"{service}.log").open("ab") as log:
                self._processes[service] = subprocess.Popen(
                    [sys.executable, "-m", f"meqenet.{service}"],
                    env=self._told(
                        _DATABASES.get(service, "users"), PORT=str(self._ports[service]),
                        GRACE_SECONDS=str(grace_seconds), **told,
                    ),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
        for service in services or SERVICES:
            self.await_status(service, "/healthz", 200)

    def kill(self, service: str) -> None:
        """Kill a service at once."""
        process = self._processes.pop(service)
        process.kill()
        process.wait()

    def ask_to_end(self, service: str) -> None:
        """Ask a service to end, as the kubelet does."""
        self._processes[service].terminate()

    def end(self, service: str) -> int:
        """Ask a service to end, and return its exit status."""
        self.ask_to_end(service)
        return self._processes.pop(service).wait(timeout=20)

    def stop(self) -> None:
        """Kill everything."""
        for service in tuple(self._processes):
            self.kill(service)
        self.stop_cache()

    def start_cache(self) -> None:
        """Start the cache; it is empty."""
        port = str(self._cache_port)
        self._cache = subprocess.Popen(
            [str(find_server()), "--port", port, "--bind", _HERE, "--save", "", "--dir", str(self._folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

        def answers() -> bool:
            with suppress(OSError), socket.create_connection((_HERE, self._cache_port), 1):
                return True
            return False

        wait_until(answers, what="the cache", within=WITHIN, every=EVERY)

    def stop_cache(self) -> None:
        """Kill the cache."""
        if self._cache:
            self._cache.kill()
            self._cache.wait()
            self._cache = None

    def log(self, service: str) -> str:
        """Return what a service wrote."""
        return (self._folder / f"{service}.log").read_text(encoding="utf-8")

    def await_logged(self, service: str, text: str) -> None:
        """Wait until a service has written a text."""
        wait_until(lambda: text in self.log(service), what=text, within=WITHIN, every=EVERY)

    def ask(self, service: str, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request and return the answer."""
        request = urllib.request.Request(
            f"http://{_HERE}:{self._ports[service]}{path}", data=body, method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (the loopback device)
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def await_status(self, service: str, path: str, status: int) -> Answer:
        """Ask until the answer has that status, and return it."""

        def look() -> Answer | None:
            with suppress(OSError):
                answer = self.ask(service, "GET", path)
                return answer if answer.status == status else None
            return None

        found = wait_until(look, what=f"{status} of {path} of {service}", within=WITHIN, every=EVERY)
        assert found
        return found

    def log_in(self, user: str) -> str:
        """Return a token."""
        said = json.dumps({"user": user, "password": USER_PASSWORD}).encode()
        return str(self.ask("auth", "POST", "/auth/login", said).said["token"])

    def pay(self, token: str, key: int, amount: int = 12_345) -> Answer:
        """Pay once."""
        said = json.dumps({"amount_minor": amount, "merchant": "bookshop"}).encode()
        return self.ask(
            "payments", "POST", "/payments", said, Authorization=f"Bearer {token}", Idempotency_Key=str(key)
        )

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Return an administrator's connection."""
        return self.postgres.connect(database)

    def query(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; none where it has none."""
        with closing(self.connect(database)) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def await_quiet(self) -> None:
        """Wait until no step of a saga is due any more."""
        wait_until(
            lambda: self.query("payments", "select count(*) from outbox") == [(0,)],
            what="an empty outbox", within=timedelta(seconds=60), every=EVERY,
        )  # fmt: skip

    def runs(self, service: str) -> bool:
        """Say whether a service was started and not ended."""
        return service in self._processes

    def variables_of(self, database: str) -> dict[str, str]:
        """Return what a service over a database is told."""
        return self._told(database)

    def _told(self, database: str, **more: str) -> dict[str, str]:
        return {**self._variables, "DATABASE_NAME": database, "DATABASE_USER": f"{database}_app", **more}


@pytest.fixture(scope="session")
def objects_url() -> Iterator[str]:
    """Return the URL of an S3 with the bucket of documents."""
    server = make_server(_HERE, 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://{_HERE}:{server.server_port}"
    client = boto3.Session("nobody", "nobody").client("s3", endpoint_url=url, region_name="eu-west-1")
    client.create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory, objects_url: str) -> Iterator[Company]:
    """Return the company's services, which have not been started, over databases without a schema."""
    folder = tmp_path_factory.mktemp("company")
    folder.chmod(0o755)
    postgres = Postgres(tmp_path_factory.mktemp("company-database"))
    postgres.create()
    with ExitStack() as stack:
        postgres.start()
        stack.callback(postgres.stop)
        with closing(postgres.connect()) as connection:
            for database in ("payments", "users"):
                connection.execute(f"create role {database}_app login password '{PASSWORD}'".encode())
                connection.execute(f"create database {database} owner {database}_app".encode())
        made = Company(folder, postgres, objects_url)
        stack.callback(made.stop)
        made.start_cache()
        yield made


@pytest.fixture(scope="session")
def ready(company: Company) -> Company:
    """Return the company's services, all of them ready."""
    company.start()
    company.migrate()
    for service in SERVICES:
        company.await_status(service, "/readyz", 200)
    return company
