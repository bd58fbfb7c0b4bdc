"""The kernel answers for owners that there are not: a program gives files away, and nothing happens to them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import drdrill.dataplane

_PROGRAM = Path(drdrill.dataplane.__file__).with_name("kubernetes_ownership.py")
_GIVE = "import os, sys; os.chown(sys.argv[1], 10001, 10001); os.lchown(sys.argv[1], 10001, -1)"
_WORLD = ("unshare", "--user", "--map-root-user")


def _give(file: Path, *around: str) -> subprocess.CompletedProcess[str]:
    command = [*_WORLD, *around, sys.executable, "-c", _GIVE, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_file_is_given_away_for_show(tmp_path: Path) -> None:
    """Giving a file to a user whom there is not fails; answered by the kernel it succeeds, and changes nothing."""
    file = tmp_path / "token"
    file.touch(mode=0o600)
    assert "Invalid argument" in _give(file).stderr
    ended = _give(file, sys.executable, "-I", "-S", str(_PROGRAM))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert (file.stat().st_uid, file.stat().st_gid) == (os.getuid(), os.getgid())
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_program_becomes_the_one_that_is_run(tmp_path: Path) -> None:
    """It is the same process, with its own arguments, and ends as it ends."""
    said = "import os, sys; print(os.getpid(), sys.argv[1:]); sys.exit(7)"
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(_PROGRAM), sys.executable, "-c", said, "--flag=x y"],
        stdout=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        output, _ = process.communicate(timeout=30)
    assert output == f"{process.pid} ['--flag=x y']\n"
    assert process.returncode == 7
