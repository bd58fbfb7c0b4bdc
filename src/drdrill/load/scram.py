"""SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it: the client's side, no channel binding.

The keys that the password gives for a salt are kept (RFC 5802, section 9, allows it): a prober that logs in
200 times a second would otherwise spend its time on key derivation and miss its schedule.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

MECHANISM = b"SCRAM-SHA-256"
_HEADER = b"n,,"


class ScramError(Exception):
    """The server did not keep to the exchange, or could not prove that it knows the password."""


@dataclass(frozen=True, slots=True)
class Password:
    """A password and the keys derived from it so far. Its text is not normalised: use ASCII."""

    text: str = field(repr=False)
    _keys: dict[tuple[bytes, int], tuple[bytes, bytes]] = field(default_factory=dict, repr=False)

    def keys(self, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
        """Return the client's and the server's key for a salt (ClientKey and ServerKey of RFC 5802)."""
        known = self._keys.get((salt, iterations))
        if known is None:
            salted = hashlib.pbkdf2_hmac("sha256", self.text.encode(), salt, iterations)
            known = self._keys[salt, iterations] = (_mac(salted, b"Client Key"), _mac(salted, b"Server Key"))
        return known


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


class ScramExchange:
    """One log-in: `first()`, then `final()` on the server's challenge, then `verify()` on its last word."""

    def __init__(self, password: Password, nonce: bytes | None = None) -> None:
        self._password = password
        self._nonce = nonce or b64encode(secrets.token_bytes(18))
        self._bare = b"n=,r=" + self._nonce  # PostgreSQL takes the user from the start-up message
        self._signature = b""

    def first(self) -> bytes:
        """Return the client's first message."""
        return _HEADER + self._bare

    def final(self, challenge: bytes) -> bytes:
        """Return the client's proof for the server's challenge; raises `ScramError` if that is malformed."""
        try:
            fields = _fields(challenge)
            nonce, salt, iterations = fields[b"r"], b64decode(fields[b"s"], validate=True), int(fields[b"i"])
        except (KeyError, ValueError) as error:
            raise ScramError(f"the server's challenge is malformed: {error}") from error
        if not nonce.startswith(self._nonce) or iterations < 1:
            raise ScramError("the server's challenge does not answer this log-in")
        client_key, server_key = self._password.keys(salt, iterations)
        unproven = b"c=" + b64encode(_HEADER) + b",r=" + nonce
        signed = b",".join((self._bare, challenge, unproven))
        mask = _mac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(left ^ right for left, right in zip(client_key, mask, strict=True))
        self._signature = _mac(server_key, signed)
        return unproven + b",p=" + b64encode(proof)

    def verify(self, last: bytes) -> None:
        """Check the server's signature; raises `ScramError` when the server does not know the password."""
        given = _fields(last).get(b"v", b"")
        if not self._signature or not hmac.compare_digest(given, b64encode(self._signature)):
            raise ScramError("the server could not prove that it knows the password")


def _fields(message: bytes) -> dict[bytes, bytes]:
    return {part[:1]: part[2:] for part in message.split(b",")}
