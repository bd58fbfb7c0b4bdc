"""Look whether the users' documents are there in the recovery region: `python -m failover.check_documents [--look]`.

Nothing has to be done for them: they were replicated as they came. It reads the newest one to its first byte, which
takes the region's own key, and says how many there are. What was still under way when the source was lost, nobody can
say: only the source's region measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from failover._looking import conclude, make_parser
from failover._places import reach, read_places
from failover._telling import run, say

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Documents:
    """What is in the bucket."""

    bucket: str
    count: int
    newest: str
    newest_at: datetime | None


def name_bucket(sts: Any, region: str) -> str:
    """Return the name of a region's bucket of documents."""
    return f"meqenet-documents-{region}-{sts.get_caller_identity()['Account']}"


def read_documents(s3: Any, bucket: str) -> Documents:
    """Count a bucket's documents, and find the newest."""
    count, newest, newest_at = 0, "", None
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", ()):
            count += 1
            if newest_at is None or one["LastModified"] > newest_at:
                newest, newest_at = one["Key"], one["LastModified"]
    return Documents(bucket, count, newest, newest_at)


def observe(s3: Any, bucket: str) -> list[str]:
    """Print what there is, and return what is not as it should be; raises AWS's refusals."""
    missing = []
    status = s3.get_bucket_versioning(Bucket=bucket).get("Status", "never enabled")
    if status != "Enabled":
        missing.append(
            f"{bucket}: versioning is {status}; what is stored again would replace what was stored."
        )
    documents = read_documents(s3, bucket)
    if documents.newest:
        s3.get_object(Bucket=bucket, Key=documents.newest, Range="bytes=0-0")["Body"].read()
    say(
        "documents",
        bucket=bucket,
        count=documents.count,
        newest_at=documents.newest_at and documents.newest_at.isoformat(),
        versioning=status,
        not_replicated="unknown: only the lost region measures it",
    )
    return missing


def main() -> None:
    """Look; there is nothing to be done."""
    make_parser("Look whether the users' documents are there in the recovery region.").parse_args()
    bucket = name_bucket(reach("sts"), read_places().recovery)
    conclude(observe(reach("s3"), bucket), f"{bucket} can be read, and is versioned")


if __name__ == "__main__":
    run(main)
