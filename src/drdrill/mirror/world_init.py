"""A world's first process and its child, the supervisor: gives the world its files and its network, then serves.

Started by `drdrill.mirror.seed` in fresh namespaces. Its standard input is the lifeline, whose first line says what it
is to build: when the owner dies, it ends, and the kernel ends everything in the world with it. A world that is to stand
by itself is let go of by one byte, when everything is built and noted.

Light on purpose: what `supervisor` imports comes in meanwhile, and is there when the network is.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DrdrillError
from drdrill.dataplane import dns
from drdrill.mirror.authority import create_authority
from drdrill.mirror.directory import MirrorDirectory
from drdrill.mirror.network import DNS_ADDRESS, INTERNET, Network, RegionLayout

if TYPE_CHECKING:
    from concurrent.futures import Future

_SMALL_DISK = 64 << 20
_log = logging.getLogger("drdrill.mirror.world_init")


def build_network(directory: MirrorDirectory, settings: dict[str, Any]) -> tuple[Network, dns.DnsServer]:
    """Build regions, zones and the machines that stand in none of them."""
    network = Network(
        [RegionLayout(r["name"], tuple(r["zones"])) for r in settings["regions"]], directory.disks
    )
    network.build()
    host = network.create_host("dns", INTERNET, disk_bytes=_SMALL_DISK, address=DNS_ADDRESS)
    server = host.spawn_piped(dns.server_command(DNS_ADDRESS), log=directory.logs / "dns.log")
    for name in ("operator", "users"):  # while the server starts
        network.create_host(name, INTERNET, disk_bytes=_SMALL_DISK)
    return network, dns.DnsServer(server)


def _await_task() -> tuple[MirrorDirectory, dict[str, Any]]:
    """Return what the owner says is to be built, in the lifeline's first line; end with an owner that says nothing."""
    line = b""
    while not line.endswith(b"\n"):  # byte by byte: what comes after the line is not ours
        said = os.read(0, 1)
        if not said:
            os._exit(0)  # whatever is being imported
        line += said
    task = json.loads(line)
    return MirrorDirectory(Path(task["directory"])), task["settings"]


def _follow_lifeline() -> None:
    if os.read(0, 1):
        return  # it stands by itself from now on
    _log.warning("the owner of this mirror is gone")
    os._exit(0)  # at once, whatever is being built: the world ends with us


def _give_the_world_its_files(directory: MirrorDirectory) -> None:
    """Bind the world's own resolver, names and authorities over the machine's: nothing asks the machine's resolver."""
    files = {
        "/etc/resolv.conf": f"nameserver {DNS_ADDRESS}\noptions timeout:1 attempts:2\n",
        "/etc/hosts": "127.0.0.1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    if authorities.exists():
        own = (directory.path / "authority.pem").read_text(encoding="ascii")
        files[str(authorities)] = authorities.read_text(encoding="utf-8") + own
    folder = directory.path / "etc"
    folder.mkdir()
    for target, content in files.items():
        source = folder / Path(target).name
        source.write_text(content, encoding="utf-8")
        if Path(target).exists():
            subprocess.run(["mount", "--bind", str(source), target], check=True, capture_output=True)


def _reap(child: int) -> int:
    """Wait for orphans of the world until the supervisor itself ends; return its exit status."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _supervise(loading: Future[object]) -> None:
    """Build what the owner asks for, and serve it; `loading`: until the supervisor's modules are there."""
    directory, settings = _await_task()
    log = os.open(directory.supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, sys.stderr.fileno())
    os.close(log)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    threading.Thread(target=_follow_lifeline, name="lifeline", daemon=True).start()
    status = 0
    try:
        create_authority(directory.path / "authority.pem", directory.secrets)
        _give_the_world_its_files(directory)
        network, names = build_network(directory, settings)
        loading.result()
        from drdrill.mirror.supervisor import run_supervisor  # noqa: PLC0415  (see the module's docstring)

        run_supervisor(directory, settings, network, names)
    except Exception as error:  # noqa: BLE001 (the process's main: nothing may end it without a word)
        _log.exception("this mirror ends")
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else b""
        words = str(error) if isinstance(error, DrdrillError) else f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps({"error": f"{words} {(said or b'').decode()}".strip()}) + "\n")
        status = 1
    finally:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        os._exit(status)  # threads of ours may sit in a call to a dead server


def main() -> None:
    """Stay as the world's init, and let a child be the supervisor: its waits and the init's must not mix."""
    # The terminal's Ctrl-C is for the runner, which ends us by the lifeline.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()  # before there is a second thread
    if child:
        sys.exit(abs(_reap(child)))
    _supervise(ThreadPoolExecutor(1).submit(import_module, "drdrill.mirror.supervisor"))


if __name__ == "__main__":
    main()
