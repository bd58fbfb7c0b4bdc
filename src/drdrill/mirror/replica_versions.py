"""What the moto in front of which replication stands is taught of versions.

A version has the id that its writer asks for: in S3 a replica has the version id of its source, and nobody can ask for
one through the public API. So one header is read here, in moto's own process. An upstream that is not taught this gives
replicas version ids of their own. And a name that never was an object's gets a delete marker, as it does in S3.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

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

    backend: Any = S3Backend
    backend.put_object = _give_wanted_id(backend.put_object)
    backend._set_delete_marker = _give_wanted_id(_mark_anything)  # noqa: SLF001  (moto has no other way in)

    def obey(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        token = _wanted.set(str(environ.get(_KEY, "")))
        try:
            return moto(environ, start_response)
        finally:
            _wanted.reset(token)

    return obey


@dataclass(frozen=True, slots=True)
class NoObject:
    """What a delete marker stands on where there never was an object."""

    name: str


def _mark_anything(backend: Any, bucket_name: str, key_name: str) -> Any:
    """Set a delete marker as moto does, also where there is nothing that it could be set on."""
    from moto.s3.models import FakeDeleteMarker  # noqa: PLC0415  (as above)

    keys, make = backend.get_bucket(bucket_name).keys, cast("Any", FakeDeleteMarker)
    marker = make(key=keys.get(key_name) or NoObject(key_name))
    keys[key_name] = marker
    return marker


def _give_wanted_id(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes a version and gives it the wanted id, before its tags are kept under that id."""

    def make_with_id(*arguments: Any, **named: Any) -> Any:
        version = make(*arguments, **named)
        if _wanted.get() and version.version_id != "null":
            version._version_id = _wanted.get()  # noqa: SLF001  (moto has no other way in)
        return version

    return make_with_id
