"""What is in memory is found by host, pods included, and what runs on none is the mirror's own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.mirror.memory import MemoryReadings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.mirror.host import WorldHost

pytestmark = pytest.mark.drill
_MEBIBYTE = 1 << 20
_DISK = Path("/dev/shm")  # noqa: S108 (in memory, as a host's disk is)
_HOLD = "held = bytearray(b'x') * (64 << 20); print('held', flush=True); input()"
_APART = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass
class Host:
    """A host whose processes are those in a namespace."""

    name: str
    init_pid: int | None
    disk: Path


def test_a_host_has_what_runs_in_it(tmp_path: Path) -> None:
    """What a program holds on a host is the host's; a host without power has nothing, nor has one its folder's."""
    command = [*_APART, *_APART, sys.executable, "-c", _HOLD]  # in a namespace inside the host's, as a pod is
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        (init,) = _children(process.pid)
        hosts = [Host("on", init, _DISK), Host("off", None, tmp_path)]
        with tempfile.NamedTemporaryFile(dir=_DISK) as file:
            file.write(bytes(4 * _MEBIBYTE))
            file.flush()
            readings = MemoryReadings(lambda: cast("Sequence[WorldHost]", hosts)).read()
        process.stdin.write("\n")
    assert 64 * _MEBIBYTE <= readings["hosts"]["on"]["processes"] < 128 * _MEBIBYTE
    assert readings["hosts"]["on"]["disks"] >= 4 * _MEBIBYTE
    assert readings["hosts"]["off"] == {"processes": 0, "disks": 0}
    assert readings["own"]["processes"] > 0  # this test's


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text(encoding="ascii").split()]
