"""TLS under AWS's names: a certificate for whatever name is asked for, from an authority of the mirror's own."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from drdrill.mirror.authority import create_authority, serve_any_name

if TYPE_CHECKING:
    from pathlib import Path

OTHERWISE = "amazonaws.com"


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None) -> None:
    """Let a client call a server by a name; raises what the client's side raises."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with ours:
            try:
                server.wrap_socket(ours, server_side=True).close()
            except ssl.SSLError:  # the client's side says what it was
                return

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with theirs, client.wrap_socket(theirs, server_hostname=name):
            pass
    finally:
        thread.join()


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context of a new authority, and that of a client which trusts it."""
    create_authority(tmp_path / "authority.pem", tmp_path)
    client = ssl.create_default_context(cafile=tmp_path / "authority.pem")
    return serve_any_name(tmp_path, otherwise=OTHERWISE), client


@pytest.mark.parametrize(
    "name",
    [
        "rds.eu-west-1.amazonaws.com",
        "a.bucket.s3.eu-west-1.amazonaws.com",
        f"{'a' * 63}.s3.amazonaws.com",
        OTHERWISE,
    ],
)
def test_every_name_is_verified(contexts: tuple[ssl.SSLContext, ssl.SSLContext], name: str) -> None:
    """A client that trusts the authority verifies any name, of however many labels, and again the second time."""
    for _ in range(2):
        _shake_hands(*contexts, name)


def test_a_client_that_names_nobody(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """A client that sends no name gets a certificate, too."""
    server, client = contexts
    client.check_hostname = False
    _shake_hands(server, client, None)


def test_what_is_no_name(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """For what is no host's name the client gets an alert that says so, and the next one is served."""
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        _shake_hands(*contexts, "my_bucket.s3.amazonaws.com")
    _shake_hands(*contexts, "s3.amazonaws.com")
