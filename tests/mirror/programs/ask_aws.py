"""Ask AWS once with plain boto3, on the operator's host, and say in JSON what came back.

Arguments: service, region, operation, parameters in JSON. Nothing here knows of a mirror.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError


def ask(service: str, region: str, operation: str, parameters: str) -> dict[str, Any]:
    """Return the answer, or the error with its code, its words, and how often it was tried again."""
    client = boto3.client(service, region_name=region)
    try:
        answer: dict[str, Any] = getattr(client, operation)(**json.loads(parameters))
    except ClientError as error:
        return {
            "error": error.response["Error"]["Code"],
            "message": error.response["Error"]["Message"],
            "class": type(error).__name__,
            "retries": error.response["ResponseMetadata"]["RetryAttempts"],
        }
    return answer


if __name__ == "__main__":
    json.dump(ask(*sys.argv[1:5]), sys.stdout, default=str)
