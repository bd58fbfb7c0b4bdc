"""What moto knows, as bytes: all of its backends at once, so that what they share stays shared. In moto's process.

Keys and certificates are written by their own means. Whatever else cannot be written fails the whole, by name.
"""

from __future__ import annotations

import hmac
import io
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dill
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from moto.backends import get_backend
from moto.core.base_backend import BackendDict

from drdrill.mirror.upstream.moto_keeping import KEEP, MIRROR_HEADER, RESTORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MIRROR_KEY = f"HTTP_{MIRROR_HEADER.upper().replace('-', '_')}"
# What every `BackendDict` is made of again; others have more of their own, such as the owners of all buckets.
_MADE_AGAIN = frozenset({"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"})


class _Pickler(dill.Pickler):  # type: ignore[misc]  # dill has no types
    def reducer_override(self, value: Any) -> Any:
        """Write what lives outside of Python as its standard form."""
        if isinstance(value, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            content = value.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            return _load_private, (content,)
        if isinstance(value, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
            return _load_public, (value.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),)
        if isinstance(value, x509.Certificate):
            return _load_certificate, (value.public_bytes(Encoding.DER),)
        if isinstance(value, defaultdict) and type(value) is not defaultdict:
            # Its own way would call the class with a factory alone, which moto's classes are not made with.
            made = (type(value), value.default_factory)
            return _make_mapping, made, vars(value), None, iter(dict.items(value))
        return NotImplemented


def _load_private(content: bytes) -> Any:
    return load_der_private_key(content, None)


def _load_public(content: bytes) -> Any:
    return load_der_public_key(content)


def _make_mapping(kind: type[defaultdict[Any, Any]], factory: Callable[[], Any] | None) -> Any:
    made = kind.__new__(kind)
    made.default_factory = factory
    return made


def _load_certificate(content: bytes) -> Any:
    return x509.load_der_x509_certificate(content)


def write_state(path: Path) -> None:
    """Write the backends of all services that were ever asked; raises what something raises that cannot be written."""
    stream = io.BytesIO()
    _Pickler(stream, recurse=False).dump({one.service_name: _describe(one) for one in _backends()})
    path.write_bytes(stream.getvalue())


def read_state(path: Path) -> None:
    """Put what was written in the place of what there is."""
    services: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = dill.loads(  # noqa: S301 (our own)
        path.read_bytes()
    )
    for service, (accounts, extra) in services.items():
        there = get_backend(service)  # type: ignore[call-overload]  # a name that moto wrote itself
        vars(there).update(extra)
        for account, regions in accounts.items():
            there[account].update(regions)


def _backends() -> list[Any]:
    return list(vars(BackendDict)["_instances"])  # moto's own list of those in use


def _describe(backends: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    extra = {name: value for name, value in vars(backends).items() if name not in _MADE_AGAIN}
    return {account: dict(regions) for account, regions in backends.items()}, extra


class KeptState:
    """A WSGI application around moto's: writes what moto knows, or reads it, when the mirror asks for it.

    It says a secret which the mirror alone knows: calls of anybody come through the gate with headers and host as they
    were sent, and what is read is executed.
    """

    def __init__(self, application: Callable[..., Any], secret: str) -> None:
        self._application = application
        self._secret = secret.encode()
        self._acts: Mapping[str, Callable[[Path], None]] = {
            f"/{KEEP}": write_state,
            f"/{RESTORE}": read_state,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer one request."""
        act = self._acts.get(environ.get("PATH_INFO", ""))
        said = str(environ.get(_MIRROR_KEY, "")).encode(errors="replace")
        if act is None or not self._secret or not hmac.compare_digest(said, self._secret):
            return self._application(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            act(Path(environ["wsgi.input"].read(length).decode()))
        except Exception as error:  # noqa: BLE001 (told to who asked)
            start_response("500 Error", [("Content-Type", "text/plain")])
            return [f"{type(error).__name__}: {error}".encode()]
        start_response("204 No Content", [])
        return []
