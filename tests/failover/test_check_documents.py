"""The look at documents in the recovery region: they are counted, the newest is read, versioning has to be enabled."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from failover.check_documents import name_bucket, observe
from tests.failover.fake_clients import FakeClient, refusal

AT = {
    name: datetime(2026, 11, day, tzinfo=UTC) for day, name in enumerate(("old", "newest", "older"), start=1)
}
AT["newest"] = datetime(2026, 11, 28, tzinfo=UTC)


@dataclass
class S3(FakeClient):
    """A bucket."""

    objects: dict[str, datetime] = field(default_factory=lambda: dict(AT))
    versioning: str = "Enabled"
    readable: bool = True
    read: list[str] = field(default_factory=list)

    def get_caller_identity(self) -> dict[str, str]:
        """Answer as STS does."""
        return {"Account": "000000000000"}

    def get_bucket_versioning(self, Bucket: str) -> dict[str, str]:  # noqa: N803
        """Answer as S3 does: without a status where it was never enabled."""
        assert Bucket == "documents"
        return {"Status": self.versioning} if self.versioning else {}

    def list_objects_v2(self, **_: object) -> dict[str, Any]:
        """Answer as S3 does: without contents where there are none."""
        listed = [{"Key": key, "LastModified": at} for key, at in self.objects.items()]
        return {"Contents": listed} if listed else {}

    def get_object(self, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        """Answer as S3 does."""
        if not self.readable:
            raise refusal("KMS.DisabledException", "GetObject")
        self.read.append(Key)
        return {"Body": io.BytesIO(b"x")}


def test_the_bucket_is_that_of_the_region() -> None:
    """Its name has region and account."""
    assert name_bucket(S3(), "eu-central-1") == "meqenet-documents-eu-central-1-000000000000"


def test_what_there_is_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """How many, how new, and that nobody knows what was not replicated."""
    s3 = S3()
    assert observe(s3, "documents") == []
    said = json.loads(capsys.readouterr().out)
    assert (said["count"], said["newest_at"]) == (3, "2026-11-28T00:00:00+00:00")
    assert said["not_replicated"].startswith("unknown")
    assert s3.read == ["newest"]


def test_an_empty_bucket_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to be read, and that is said."""
    assert observe(S3(objects={}), "documents") == []
    assert json.loads(capsys.readouterr().out)["count"] == 0


@pytest.mark.parametrize(("versioning", "told"), [("Suspended", "Suspended"), ("", "never enabled")])
def test_without_versioning_it_is_not_so(versioning: str, told: str) -> None:
    """The status is named."""
    (missing,) = observe(S3(versioning=versioning), "documents")
    assert f"versioning is {told}" in missing


def test_what_cannot_be_read_is_raised() -> None:
    """A document that is listed and cannot be decrypted is none."""
    with pytest.raises(ClientError, match=r"KMS\.DisabledException"):
        observe(S3(readable=False), "documents")
