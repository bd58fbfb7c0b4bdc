"""The certificate authority of one cluster, and who it says one is: certificates, keys, kubeconfig files.

As in EKS every cluster has an authority of its own: a certificate of one is worth nothing at another. It is signed by
the mirror's own authority, so that programs which trust the mirror trust its clusters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

if TYPE_CHECKING:
    from pathlib import Path

    import trustme


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The files of a certificate (with what signed it) and of its key."""

    certificate: Path
    key: Path


class ClusterAuthority:
    """Issues what a cluster's servers and users show each other. Files are readable by the owner only."""

    def __init__(self, parent: trustme.CA) -> None:
        self._authority = parent.create_child_ca()
        self.certificate = self._authority.cert_pem.bytes().decode("ascii")
        # OpenSSL wants to see a root, Go does not: both are content with both.
        self.bundle = self.certificate + parent.cert_pem.bytes().decode("ascii")

    def issue(self, folder: Path, name: str, *addresses: str, user: str = "", group: str = "") -> KeyPair:
        """Issue a certificate for a server's names and addresses, for a user of a group, or for both at once.

        A certificate must name something: for a user who serves nothing it is the user's name as a host's.
        """
        names = addresses or (f"{name}.invalid",)
        issued = self._authority.issue_cert(*names, common_name=user or None, organization_name=group or None)
        pair = KeyPair(folder / f"{name}.pem", folder / f"{name}-key.pem")
        write_secret(pair.certificate, "".join(blob.bytes().decode() for blob in issued.cert_chain_pems))
        write_secret(pair.key, issued.private_key_pem.bytes().decode("ascii"))
        return pair


def issue_signing_key(folder: Path) -> KeyPair:
    """Make the key that service accounts' tokens are signed with; `certificate` is the public half."""
    private = ec.generate_private_key(ec.SECP256R1())
    pair = KeyPair(folder / "service-accounts.pub", folder / "service-accounts-key.pem")
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pair.certificate.write_bytes(public)
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    write_secret(pair.key, secret.decode("ascii"))
    return pair


def write_kubeconfig(path: Path, *, server: str, authority: Path, pair: KeyPair) -> Path:
    """Write how a program of the cluster itself reaches its API server, and return where."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [
            {
                "name": "me",
                "user": {"client-certificate": str(pair.certificate), "client-key": str(pair.key)},
            }
        ],
        "contexts": [{"name": "here", "context": {"cluster": "it", "user": "me"}}],
        "current-context": "here",
    }
    write_secret(path, json.dumps(content))
    return path


def write_secret(path: Path, content: str) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(content, encoding="ascii")
