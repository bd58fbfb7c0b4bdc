"""Buckets that everybody may read: they are made where they are needed, and nobody has to have prepared them."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

_FIRST_REGION = "us-east-1"  # that of a bucket without a location, which must not name it


def open_bucket(s3: Any, bucket: str, region: str) -> None:
    """Have a bucket that everybody may read; what is so already is so once more."""
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != _FIRST_REGION else {}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "OperationAborted":  # another step makes it at this moment
            s3.get_waiter("bucket_exists").wait(Bucket=bucket)
        elif code != "BucketAlreadyOwnedByYou":
            raise
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
