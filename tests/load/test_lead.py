"""Where a name leads, and whether somebody answers there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from drdrill.load.lead import look, main

if TYPE_CHECKING:
    import pytest


def test_somebody_answers() -> None:
    """A port that takes connections answers; one that refuses them does not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert look("localhost", port, 1.0) == {"127.0.0.1": True}
    assert look("localhost", port, 1.0) == {"127.0.0.1": False}


def test_a_name_that_nobody_knows() -> None:
    """It leads nowhere."""
    assert look("nowhere.invalid", 443, 1.0) == {}


def test_it_is_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints one line of JSON, and a usage for wrong arguments."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-m", "drdrill.load.lead", "localhost", str(server.getsockname()[1]), "1"]
        said = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(said.stdout) == {"addresses": {"127.0.0.1": True}}
    assert main(["localhost"]) == 2
    assert "usage: python -m drdrill.load.lead" in capsys.readouterr().err
