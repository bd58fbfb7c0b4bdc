"""Look whether every document that the database names is in its region's bucket, as it was stored.

    python -m environments.embedded.check_documents users-database.meqenet.internal

Runs on the operator's host. The region is the one where the database's name leads to: after a failover it is the
other one, and so is the bucket. Every row's version has to be there in its size; the contents of the newest ones are
read and compared as well. Each line says what is wrong with one document. An object without a row is none of them: a
document whose row was not written was never acknowledged.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_REGION = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com$")
ROWS = """
    select user_id, name, object_key, version_id, sha256, bytes from documents.versions order by id desc
"""
_WITHIN_SECONDS = 5
_CONFIG = Config(
    connect_timeout=2, read_timeout=_WITHIN_SECONDS, retries={"mode": "standard", "max_attempts": 3}
)
_AT_ONCE = 8  # contents that are read; fewer than botocore's pool has connections
_READ = 200  # of the newest: 1 s of moto on a busy machine of two cores


class LookError(Exception):
    """It could not be looked, and why."""


class Document(NamedTuple):
    """A row: one version of a user's document."""

    user: str
    name: str
    key: str
    version: str
    sha256: str
    size: int

    def __str__(self) -> str:
        """Return how people call it."""
        return f"the document `{self.name}` of {self.user}, version {self.version}"


class Bucket(Protocol):
    """Where documents are."""

    def list_sizes(self) -> Mapping[tuple[str, str], int]:
        """Return the size of every version of every object, by key and version."""
        ...

    def read(self, key: str, version: str) -> bytes:
        """Return the content of a version."""
        ...


class S3Bucket:
    """A bucket of S3."""

    def __init__(self, name: str, client: Any) -> None:
        self._name = name
        self._client = client

    def list_sizes(self) -> Mapping[tuple[str, str], int]:
        """Return the size of every version of every object, by key and version."""
        pages: Iterable[dict[str, Any]] = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._name
        )
        return {
            (version["Key"], version["VersionId"]): version["Size"]
            for page in pages
            for version in page.get("Versions", ())
        }

    def read(self, key: str, version: str) -> bytes:
        """Return the content of a version."""
        answer = self._client.get_object(Bucket=self._name, Key=key, VersionId=version)
        return bytes(answer["Body"].read())


def find_wrong(documents: Iterable[Document], bucket: Bucket, *, read: int = _READ) -> Iterator[str]:
    """Say what is wrong with documents, the newest of which come first; the contents of so many are read."""
    sizes = bucket.list_sizes()
    sound: list[Document] = []
    for document in documents:
        size = sizes.get((document.key, document.version))
        if size is None:
            yield f"{document} is not in the bucket"
        elif size != document.size:
            yield f"{document} has {size} bytes in the bucket, and {document.size} were stored"
        else:
            sound.append(document)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        contents = pool.map(lambda one: bucket.read(one.key, one.version), sound[:read])
        for document, content in zip(sound, contents, strict=False):
            if hashlib.sha256(content).hexdigest() != document.sha256:
                yield f"{document} is not what was stored"


def find_region(names: Iterable[str]) -> str:
    """Return the region of a database, one of whose names AWS gave it; raises `LookError`."""
    for name in names:
        if found := _REGION.search(name):
            return found[1]
    raise LookError("its name leads to no database of RDS: which region it is in is not known")


def read_documents(host: str, user: str) -> list[Document]:
    """Read all rows, the newest first; the password comes from the operator's environment."""
    with psycopg.connect(host=host, dbname="users", user=user, connect_timeout=_WITHIN_SECONDS) as connection:
        return [Document(*row) for row in connection.execute(ROWS).fetchall()]


def main() -> int:
    """Look; returns 1 when it could not be looked."""
    parser = argparse.ArgumentParser(description="Look whether every document is in its bucket.")
    parser.add_argument("host", help="the name of the database with the rows")
    parser.add_argument("--user", default="users_app", help="who reads them")
    parser.add_argument("--bucket", default="meqenet-documents-{region}-{account}", help="its name")
    asked = parser.parse_args()
    try:
        canonical, aliases, _ = socket.gethostbyname_ex(asked.host)
        region = find_region((canonical, *aliases))
        documents = read_documents(asked.host, asked.user)
        account = boto3.client("sts", region, config=_CONFIG).get_caller_identity()["Account"]
        name = asked.bucket.format(region=region, account=account)
        for line in find_wrong(documents, S3Bucket(name, boto3.client("s3", region, config=_CONFIG))):
            sys.stdout.write(f"{line}\n")
    except (LookError, OSError, psycopg.Error, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"error: {asked.host}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
