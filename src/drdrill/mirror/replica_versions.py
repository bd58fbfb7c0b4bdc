"""What the moto in front of which replication stands is taught: a version has the id that its writer asks for.

In S3 a replica has the version id of its source, and nobody can ask for one through the public API. So the one header
is read here, in moto's own process. An upstream that is not taught this gives replicas version ids of their own.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from drdrill.aws.s3 import VERSION_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    StartResponse = Callable[[str, list[tuple[str, str]]], object]
    Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_KEY = f"HTTP_{VERSION_HEADER.upper().replace('-', '_')}"
_wanted: ContextVar[str] = ContextVar("wanted version id", default="")


def teach_replica_versions(moto: Application) -> Application:
    """Return moto's application such that it obeys the header; of use once in a process."""
    from moto.s3.models import S3Backend  # noqa: PLC0415  (only moto's own process has moto)

    for name in ("put_object", "_set_delete_marker"):
        setattr(S3Backend, name, _give_wanted_id(getattr(S3Backend, name)))

    def obey(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        token = _wanted.set(str(environ.get(_KEY, "")))
        try:
            return moto(environ, start_response)
        finally:
            _wanted.reset(token)

    return obey


def _give_wanted_id(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes a version and gives it the wanted id, before its tags are kept under that id."""

    def make_with_id(*arguments: Any, **named: Any) -> Any:
        version = make(*arguments, **named)
        if _wanted.get() and version.version_id != "null":
            version._version_id = _wanted.get()  # noqa: SLF001  (moto has no other way in)
        return version

    return make_with_id
