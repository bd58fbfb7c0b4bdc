"""The company's failover code is what its operators run in production: it knows of no drill."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "failover"
MODULES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_knows_of_no_drill(path: Path) -> None:
    """It names neither the harness nor the mirror, waits by AWS's own waiters, and sets no endpoint."""
    text = path.read_text(encoding="utf-8")
    assert [
        word for word in ("drill", "mirror", "sleep(", "endpoint_url", "DRDRILL") if word in text.lower()
    ] == []
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "drdrill" not in imported
    assert imported <= {"__future__", "argparse", "boto3", "botocore", "collections", "datetime", "failover",
                        "json", "secrets", "sys", "time", "typing", "os", "logging", "dataclasses"}  # fmt: skip
