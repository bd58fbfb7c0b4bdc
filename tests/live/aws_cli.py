"""AWS's own command line (v1), unmodified: installed once per locked version into the user's cache.

In an environment of its own, because it pins versions that drdrill's boto3 does not go with. `awscli.txt` is its lock.
Made in its place, under a lock: the programs of an environment name its folder, so it cannot be moved there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from drdrill.core.cache import cache_root

LOCK = Path(__file__).with_name("awscli.txt")
_WITHIN_SECONDS = 300  # measured 3 s with a filled cache of packages


def install_aws_cli() -> Path:
    """Return the folder of the program `aws`; installs it first where this version is not there yet."""
    locked = LOCK.read_bytes()
    version = re.search(rb"^awscli==(\S+)", locked, re.MULTILINE)
    assert version is not None, LOCK
    python = f"{sys.implementation.cache_tag}"
    key = f"awscli-{version[1].decode()}-{hashlib.sha256(locked).hexdigest()[:8]}-{python}-compiled"
    cache = cache_root(os.environ)
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / key
    with (cache / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder)
            (folder / ".complete").touch()
    return folder / "bin"


def _install(folder: Path) -> None:
    uv = [str(Path(sys.executable).with_name("uv"))]
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [
            *uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",  # programs on hosts write none: every call would compile all of it again, in 2 s
            "--python",
            str(folder / "bin" / "python"),
            "--require-hashes",
            "-r",
            str(LOCK),
        ],
    ):
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=_WITHIN_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
