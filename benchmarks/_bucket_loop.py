"""Runs on an operator's host in the mirror: fills a bucket, or copies one object by object, as a script of boto3 does.

`_bucket_loop.py make BUCKET REGION`, `fill BUCKET REGION PREFIX COUNT BYTES`,
`copy BUCKET REGION PREFIX BUCKET REGION`; prints the seconds that the loop took.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import boto3


def main() -> None:
    """Do one of the three."""
    act, bucket, region, *others = sys.argv[1:]
    s3 = boto3.client("s3", region_name=region)
    if act == "make":
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return
    seconds = _fill(s3, bucket, *others) if act == "fill" else _copy(s3, bucket, *others)
    print(seconds)


def _fill(s3: Any, bucket: str, prefix: str, count: str, size: str) -> float:
    body = os.urandom(int(size))
    s3.list_objects_v2(Bucket=bucket)  # the connection is there
    began = time.perf_counter()
    for number in range(int(count)):
        s3.put_object(Bucket=bucket, Key=f"{prefix}{number}", Body=body)
    return time.perf_counter() - began


def _copy(s3: Any, source: str, prefix: str, destination: str, region: str) -> float:
    there = boto3.client("s3", region_name=region)
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=source, Prefix=prefix)["Contents"]]
    there.list_objects_v2(Bucket=destination)  # the connection is there
    began = time.perf_counter()
    for key in keys:
        body = s3.get_object(Bucket=source, Key=key)["Body"].read()
        there.put_object(Bucket=destination, Key=key, Body=body)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
