"""LocalStack in host mode: in an environment of its own, outside the repository, as its lock says.

It is pinned to what its own release was built with: with newer dependencies it does not start. One that was made stays
in drdrill's cache (measured: 74 s to install, on a busy machine).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from drdrill.core.cache import cache_root, keep, key_of
from drdrill.core.waiting import wait_until
from tests.missing import not_run

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = Path(__file__).parents[3] / "requirements" / "localstack.txt"
_SETTINGS = {
    "DNS_ADDRESS": "0",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    "EAGER_SERVICE_LOADING": "0",
    "SQS_ENDPOINT_STRATEGY": "dynamic",
    "LOCALSTACK_ACKNOWLEDGE_ACCOUNT_REQUIREMENT": "1",
}
_UP_WITHIN = timedelta(seconds=90)  # measured 8 s, 30 s on a busy machine
_POLL = timedelta(milliseconds=200)


class LocalStack:
    """A LocalStack that runs. Implements `Upstream`."""

    name = "LocalStack"
    started = True

    def __init__(self, port: int) -> None:
        self._port = port

    def connect(self) -> HTTPConnection:
        """Return a new connection."""
        return HTTPConnection("127.0.0.1", self._port, timeout=60)


@contextlib.contextmanager
def run_localstack(folder: Path, port: int) -> Iterator[LocalStack]:
    """Start one that keeps everything in a folder, and end it; the test is NOT RUN where it cannot be had."""
    python = _require_environment()
    settings = {
        **os.environ,
        **_SETTINGS,
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_VOLUME_DIR": str(folder / "volume"),
        "FILESYSTEM_ROOT": str(folder / "root"),
    }
    with (
        (folder / "localstack.log").open("wb") as log,
        subprocess.Popen(
            [str(python), "-m", "localstack.runtime.main"], stdout=log, stderr=log, env=settings, cwd=folder
        ) as process,
    ):
        try:
            wait_until(lambda: _answers(port, process), what="LocalStack", within=_UP_WITHIN, every=_POLL)
            yield LocalStack(port)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        not_run("localstack", f"LocalStack ended with status {process.returncode}; see its log.")
    try:
        with urlopen(f"http://127.0.0.1:{port}/_localstack/health", timeout=2) as answer:
            answer.read()
    except OSError:
        return False
    return True


def _require_environment() -> Path:
    """Return the Python of LocalStack's environment, made if there is none."""
    lock = _LOCK.read_bytes()
    entry = cache_root(os.environ) / "localstack" / key_of(lock, sys.version.encode())
    try:
        return keep(entry, _make) / "bin" / "python"
    except (OSError, subprocess.CalledProcessError) as error:
        said = (
            error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else ""
        )
        not_run("localstack", f"LocalStack cannot be installed here: {error} {said[-500:]}")


def _make(folder: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    for command in (
        [uv, "venv", "--quiet", "--relocatable", "--allow-existing", "--python", sys.executable, folder],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            folder / "bin" / "python",
            "--require-hashes",
            "-r",
            _LOCK,
        ],
    ):
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
