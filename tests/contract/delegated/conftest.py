"""What the contract's tests see of delegated services: plain boto3 through the gate, with either upstream behind it.

Only this folder knows that the upstreams are moto and LocalStack.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.aws.delegation import Delegation
from drdrill.aws.ec2 import make_zones
from drdrill.aws.gate import Gate
from drdrill.mirror.directory import MirrorDirectory
from drdrill.mirror.upstream.moto import MotoUpstream
from tests.aws.sdk import Wire
from tests.contract.delegated.localstack import run_localstack
from tests.folder_scope import FolderScope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.aws.upstream import Upstream

ACCOUNT = "000000000000"
HOME, AWAY = "eu-west-1", "eu-central-1"
_scope = FolderScope(__file__)


@dataclass
class Delegated(Wire):
    """Plain boto3 through a gate to an upstream."""

    upstream: Upstream = field(kw_only=True)

    def gate(self) -> Gate:
        """Return the gate, the same for all calls."""
        if not hasattr(self, "_gate"):
            delegation = Delegation(self.upstream, (HOME, AWAY))
            self._gate = Gate(self.services, self.failures.append, delegation=delegation)
        return self._gate


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the upstream with the last test of this folder."""
    _scope.end_with(nextitem)


@pytest.fixture(scope="session", params=["moto", pytest.param("localstack", marks=pytest.mark.drill)])
def aws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delegated]:
    """Return what makes clients of delegated services."""
    folder = tmp_path_factory.mktemp("upstream")
    run: contextlib.AbstractContextManager[Upstream] = _run_moto(folder)
    if request.param == "localstack":
        run = run_localstack(folder, _free_port())
    for upstream in _scope.share(run):
        yield Delegated(upstream=upstream)


@contextlib.contextmanager
def _run_moto(folder: Path) -> Iterator[MotoUpstream]:
    directory = MirrorDirectory(folder)
    directory.logs.mkdir()
    places = ((HOME, 20), (AWAY, 40))
    zones = [
        zone
        for region, octet in places
        for zone in make_zones(region, {f"{region}{c}": f"10.{octet}.{n}.0/24" for n, c in enumerate("abc")})
    ]
    upstream = MotoUpstream(directory, ACCOUNT, zones)
    try:
        yield upstream
    finally:
        upstream.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def code(error: Any) -> str:
    """Return the code of an error that a client raised."""
    return str(error.value.response["Error"]["Code"])
