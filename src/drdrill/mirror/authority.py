"""The mirror's own certificate authority, so that AWS's real names answer with TLS that clients verify."""

from __future__ import annotations

import ssl
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

_AUTHORITY = "authority.pem"
_KEY = "authority-key.pem"
_NAMES_KEPT = 256


def create_authority(public: Path, secrets: Path) -> None:
    """Make an authority: its certificate at `public`, its key in the folder `secrets`."""
    authority = trustme.CA(organization_name="drdrill mirror")
    authority.cert_pem.write_to_path(public)
    (secrets / _AUTHORITY).write_bytes(authority.cert_pem.bytes())
    (secrets / _KEY).write_bytes(authority.private_key_pem.bytes())


def read_authority(secrets: Path) -> trustme.CA:
    """Return the mirror's authority, to sign what another authority is to be trusted by."""
    return trustme.CA.from_pem((secrets / _AUTHORITY).read_bytes(), (secrets / _KEY).read_bytes())


def serve_any_name(secrets: Path, *, otherwise: str) -> ssl.SSLContext:
    """Return a server's context that has a certificate for whatever name a client asks for.

    Issued when it is first asked for (2 ms): a certificate's wildcard stands for one label, and the names of buckets
    have several. `otherwise` is the name for clients that name none.
    """
    authority = read_authority(secrets)
    lock = threading.Lock()  # each handshake is in a thread of its own

    @lru_cache(maxsize=_NAMES_KEPT)
    def issue(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = secrets / "gate.pem"
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
        context.load_cert_chain(path)
        return context

    def present(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        try:
            with lock:
                connection.context = issue((name or otherwise).lower())
        except ValueError:  # no host name, such as one with `_`
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    with lock:
        first = issue(otherwise)
    first.sni_callback = present
    return first
