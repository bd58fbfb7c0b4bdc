"""Documents: what users have to show of themselves, as versioned objects of the region's bucket.

The object comes first, then the row that names its version: no row names an object that does not exist.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

from anyio.to_thread import run_sync
from botocore.exceptions import BotoCoreError, ClientError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meqenet.aws import make_client
from meqenet.bodies import read_content
from meqenet.place import Place, own_place_of
from meqenet.serving import run

if TYPE_CHECKING:
    from starlette.requests import Request

    from meqenet.settings import Settings

_LARGEST_BYTES = 1 << 20
_INSERT = """
    insert into documents.versions (user_id, name, object_key, version_id, sha256, bytes)
    values (%s, %s, %s, %s, %s, %s) returning id
"""
_NEWEST = """
    select object_key, version_id, sha256 from documents.versions
    where user_id = %s and name = %s order by id desc limit 1
"""


class DocumentsPlace(Place):
    """Documents also has a client of the region's S3."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._objects = make_client("s3", region=settings.region)

    async def ask_objects(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Ask S3 in a thread of its own, its answer's body read whole; raises `HTTPException` 503."""

        def ask() -> dict[str, Any]:
            said = getattr(self._objects, operation)(Bucket=self.settings.documents_bucket, **parameters)
            return {**said, "Body": said["Body"].read()} if "Body" in said else dict(said)

        try:
            return await run_sync(ask)
        except (BotoCoreError, ClientError) as error:
            self.log.warning("objects unavailable", operation=operation, reason=str(error))
            raise HTTPException(503, "the store of documents does not answer as expected") from error


async def store(request: Request) -> Response:
    """Store a new version of a document."""
    place = own_place_of(request, DocumentsPlace)
    user, name = await place.sessions.require_user(request), request.path_params["name"]
    content = await read_content(request, _LARGEST_BYTES)
    digest, key = hashlib.sha256(content).hexdigest(), f"{user}/{name}"
    if not (await place.database.read_state()).writable:  # before an object is stored that no row will name
        raise HTTPException(503, "this region does not write now: it does not serve")
    answer = await place.ask_objects("put_object", Key=key, Body=content, Metadata={"sha256": digest})
    version = answer.get("VersionId", "")
    async with place.database.transaction() as connection:
        made = await connection.execute(_INSERT, (user, name, key, version, digest, len(content)))
        row = await made.fetchone()
    assert row is not None  # noqa: S101 (it returns one)
    return JSONResponse({"document": row[0], "version_id": version, "sha256": digest}, status_code=201)


async def fetch(request: Request) -> Response:
    """Return the newest version of a document, checked against what was stored."""
    place = own_place_of(request, DocumentsPlace)
    user, name = await place.sessions.require_user(request), request.path_params["name"]
    async with place.database.reading() as connection:
        row = await (await connection.execute(_NEWEST, (user, name))).fetchone()
    if row is None:
        raise HTTPException(404, f"there is no document `{name}`")
    key, version, digest = row
    content = await place.ask_objects("get_object", Key=key, VersionId=version)
    if hashlib.sha256(content["Body"]).hexdigest() != digest:
        raise HTTPException(500, f"the document `{name}` is not what was stored")
    return Response(content["Body"], media_type="application/octet-stream", headers={"x-sha256": digest})


ROUTES = (
    Route("/documents/{name}", store, methods=["PUT"]),
    Route("/documents/{name}", fetch),
)

if __name__ == "__main__":
    sys.exit(run("documents", ROUTES, DocumentsPlace))
