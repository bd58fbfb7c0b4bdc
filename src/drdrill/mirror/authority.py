"""The mirror's own certificate authority, so that AWS's real names answer with TLS that clients verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CERTIFICATE = "gate.pem"
_KEY = "authority-key.pem"


def create_authority(public: Path, secrets: Path) -> None:
    """Make an authority: its certificate at `public`, its key in the folder `secrets`."""
    authority = trustme.CA(organization_name="drdrill mirror")
    authority.cert_pem.write_to_path(public)
    (secrets / "authority.pem").write_bytes(authority.cert_pem.bytes())
    (secrets / _KEY).write_bytes(authority.private_key_pem.bytes())


def issue_certificate(secrets: Path, names: Sequence[str]) -> Path:
    """Issue a certificate for these names; returns a file with key and chain."""
    authority = trustme.CA.from_pem((secrets / "authority.pem").read_bytes(), (secrets / _KEY).read_bytes())
    path = secrets / _CERTIFICATE
    authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(path)
    return path
