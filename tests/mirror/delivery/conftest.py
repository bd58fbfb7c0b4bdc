"""A machine that deploys without a mirror: real Git repositories, and a kubectl that writes down what it is asked."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import SystemClock
from drdrill.mirror.delivery.deployment import Deployer

if TYPE_CHECKING:
    from pathlib import Path

# Answers from files beside it: `WORD` and `WORD.status`, by the first word that is no option.
_KUBECTL = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
for word in "$@"; do case $word in -*) ;; *) break ;; esac; done
[ "$word" = apply ] && for last in "$@"; do :; done && cat "$last"/* > "$here/applied"
status=$(cat "$here/$word.status" 2>/dev/null || echo 0)
if [ "$status" = 0 ]; then cat "$here/$word"; else cat "$here/$word" >&2; fi
exit "$status"
"""
WEB = {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web", "namespace": "shop"}}
SETTINGS = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "settings", "namespace": "shop"}}


@dataclass(frozen=True, slots=True)
class Machine:
    """The deployer, and what its kubectl says and hears."""

    deployer: Deployer
    folder: Path

    def say(self, verb: str, words: str, status: int = 0) -> None:
        """Have kubectl answer a verb so."""
        (self.folder / verb).write_text(words, encoding="utf-8")
        (self.folder / f"{verb}.status").write_text(str(status), encoding="ascii")

    @property
    def asked(self) -> list[str]:
        """What kubectl was asked."""
        return (self.folder / "asked").read_text(encoding="utf-8").splitlines()

    @property
    def applied(self) -> str:
        """What was in the folder that was applied."""
        return (self.folder / "applied").read_text(encoding="utf-8")

    def commit(self, name: str, files: dict[str, str], branch: str = "main") -> str:
        """Push a commit with these files to a repository, and return it."""
        clone = self.folder / "clone"
        source = str(self.deployer.repositories / f"{name}.git")
        if not clone.exists():
            git("clone", "--quiet", source, str(clone))
            git("-C", str(clone), "checkout", "--quiet", "-B", branch)
        for path, content in files.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_text(content, encoding="utf-8")
        git("-C", str(clone), "add", ".")
        git(
            "-C",
            str(clone),
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.example",
            "commit",
            "--quiet",
            "-m",
            "work",
        )
        git("-C", str(clone), "push", "--quiet", "origin", branch)
        return git("-C", str(clone), "rev-parse", "HEAD").strip()


def git(*arguments: str) -> str:
    """Run git, which must succeed."""
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine whose kubectl knows one cluster, applies everything and sees it rolled out at once."""
    program = tmp_path / "kubectl"
    program.write_text(_KUBECTL, encoding="ascii")
    program.chmod(0o755)
    deployer = Deployer(tmp_path / "disk", tmp_path / "config", [str(program)], SystemClock())
    made = Machine(deployer, tmp_path)
    made.say("config", "shop.eu-west-1\n")
    made.say("apply", "deployment.apps/web created\nconfigmap/settings created\n")
    made.say("get", json.dumps({"kind": "List", "items": [SETTINGS, WEB]}))
    made.say("rollout", 'Waiting for deployment\ndeployment "web" successfully rolled out\n')
    return made
