"""Somebody on the operators' host of a mirror who asks for a walk: AWS, databases and resolvers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drdrill.mirror.embedded import Embedded

USER, PASSWORD, DATABASE = "owner", "correct-horse-battery", "shop"
_PROGRAM = Path(__file__).with_name("programs") / "walker.py"


class Operator:
    """Somebody on the operator's host who asks AWS and databases."""

    def __init__(self, environment: Embedded) -> None:
        self._process = subprocess.Popen(
            environment.operator_command([sys.executable, str(_PROGRAM)]), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=environment.operator_environment(), cwd="/",
        )  # fmt: skip

    def ask(self, do: str, **what: object) -> dict[str, Any]:
        """Ask once."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def sql(self, host: str, statement: str) -> dict[str, Any]:
        """Run a statement as the instance's owner."""
        return self.ask(
            "sql", host=host, database=DATABASE, user=USER, password=PASSWORD, statement=statement
        )

    def close(self) -> None:
        """End."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()
