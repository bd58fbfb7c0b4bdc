"""The company's failover code is what its operators run in production: it knows of no drill."""

from __future__ import annotations

import ast
import sys
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
    # What operators have on their machine: AWS's SDK, a client of the database, a reader of YAML.
    assert imported <= {*sys.stdlib_module_names, "boto3", "botocore", "failover", "psycopg", "yaml"}
