"""What is wrong between rows of documents and objects of a bucket, in words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from environments.embedded.check_documents import Document, LookError, find_region, find_wrong

if TYPE_CHECKING:
    from collections.abc import Mapping


class Objects:
    """A bucket of this test; `asked` are the versions whose contents were read."""

    def __init__(self, contents: dict[tuple[str, str], bytes]) -> None:
        self.contents = contents
        self.asked: list[str] = []

    def list_sizes(self) -> Mapping[tuple[str, str], int]:
        """Return the sizes."""
        return {place: len(content) for place, content in self.contents.items()}

    def read(self, key: str, version: str) -> bytes:
        """Return a content."""
        self.asked.append(version)
        return self.contents[key, version]


def _row(version: str, content: bytes) -> Document:
    return Document(
        "user-0001",
        "passport",
        "user-0001/passport",
        version,
        hashlib.sha256(content).hexdigest(),
        len(content),
    )


def test_every_document_is_there() -> None:
    """Nothing is wrong where every row's version is there, whatever else the bucket has."""
    objects = Objects({("user-0001/passport", version): b"content" for version in ("1", "2", "of no row")})
    assert list(find_wrong([_row("2", b"content"), _row("1", b"content")], objects)) == []


def test_what_is_wrong_is_said() -> None:
    """A version that is missing, one that is shorter, and one with another content are told apart."""
    places = [("user-0001/passport", version) for version in ("1", "2")]
    objects = Objects(dict(zip(places, (b"cont", b"CONTENT"), strict=True)))
    rows = [_row("3", b"content"), _row("2", b"content"), _row("1", b"content")]
    assert list(find_wrong(rows, objects)) == [
        "the document `passport` of user-0001, version 3 is not in the bucket",
        "the document `passport` of user-0001, version 1 has 4 bytes in the bucket, and 7 were stored",
        "the document `passport` of user-0001, version 2 is not what was stored",
    ]


def test_only_the_newest_contents_are_read() -> None:
    """Of many documents the contents of the newest are read; all others have to be there in their size."""
    objects = Objects({("user-0001/passport", str(number)): b"content" for number in range(5)})
    rows = [_row(str(number), b"CONTENT") for number in reversed(range(5))]
    assert len(list(find_wrong(rows, objects, read=2))) == 2
    assert sorted(objects.asked) == ["3", "4"]


def test_the_region_of_a_database() -> None:
    """The region stands in the name that AWS gave the database; where none did, that is said."""
    names = ("users-database.meqenet.internal", "users.c0ffee.eu-central-1.rds.amazonaws.com")
    assert find_region(names) == "eu-central-1"
    with pytest.raises(LookError, match="leads to no database of RDS"):
        find_region(names[:1])
