"""S3's addresses: which bucket a call means, and which region it has to be sent to.

A bucket has one region. A call that reaches another one is redirected there, with AWS's own words for each of the ways
in which it can be wrong (S3 User Guide, "Request routing"; API reference, "Error responses").
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.upstream import Call

_HOST = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:[.-]dualstack|-accesspoint)?(?:[.-](?P<region>[a-z]{2,3}(?:-[a-z]+)+-\d))?\.amazonaws\.com"
)
FIRST_REGION = "us-east-1"  # that of a bucket without a location, and of names without a region


def split_address(call: Call) -> tuple[str, str]:
    """Return the bucket that a call means, as it was encoded, and the path below it (`/key`); empty: none."""
    found = _HOST.fullmatch(call.host.partition(":")[0].lower())
    if found is not None and found["bucket"]:
        return found["bucket"], call.path if call.path != "/" else ""
    bucket, _, key = call.path.lstrip("/").partition("/")
    return bucket, f"/{key}" if key else ""


class Buckets:
    """In which regions buckets are. `look`: reads a bucket's region, None: there is no such bucket. Thread-safe."""

    def __init__(self, look: Callable[[str], str | None]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._regions: dict[str, str] = {}

    def read_region(self, bucket: str) -> str | None:
        """Return a bucket's region, None: there is no such bucket."""
        with self._lock:
            known = self._regions.get(bucket)
        if known is None and (known := self._look(bucket)) is not None:
            with self._lock:
                self._regions[bucket] = known
        return known

    def forget(self, bucket: str) -> None:
        """Look again the next time: it is being made, or deleted."""
        with self._lock:
            self._regions.pop(bucket, None)

    def place(self, call: Call) -> Call:
        """Return a call as its bucket's region is to get it, with the bucket in the path.

        Raises what AWS raises for a call that was sent, or signed, for another region than the bucket's.
        """
        bucket, below = split_address(call)
        found = _HOST.fullmatch(call.host.partition(":")[0].lower())
        called = (found["region"] or "") if found else ""
        signed = call.region
        if not bucket or call.operation == "CreateBucket":
            self.forget(bucket)
            here = called or signed or FIRST_REGION
            if signed and signed != here:
                raise _wrong_region(signed, here)
        else:
            # A name without a region leads to the bucket's (User Guide, "Request routing").
            at_home = self.read_region(bucket)
            if at_home is None:
                here = called or signed or FIRST_REGION
            elif called and called != at_home:
                raise _redirect(bucket, at_home)
            else:
                here = at_home
            if signed and signed != here:
                raise _wrong_region(signed, here)
            if call.operation == "DeleteBucket":
                self.forget(bucket)
        path = f"/{bucket}{below}" if bucket else call.path
        target = f"{path}?{call.query}" if call.query else path
        return replace(call, region=here, host=f"s3.{here}.amazonaws.com", target=target)


def _redirect(bucket: str, region: str) -> AwsError:
    return AwsError(
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
        "future requests to this endpoint.",
        status=301,
        details={"Endpoint": f"{bucket}.s3.{region}.amazonaws.com", "Bucket": bucket},
        headers={"x-amz-bucket-region": region},
    )


def _wrong_region(signed: str, region: str) -> AwsError:
    return AwsError(
        "AuthorizationHeaderMalformed",
        f"The authorization header is malformed; the region '{signed}' is wrong; expecting '{region}'",
        details={"Region": region},
        headers={"x-amz-bucket-region": region},
    )
