"""Asks AWS, databases and resolvers for a test, on the operator's host: a JSON object a line in, one a line out.

Plain boto3 that tries nothing again, plain psycopg by address. Nothing here knows of a mirror.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
_clients: dict[str, Any] = {}


def ask_aws(region: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the answer, or the error with code and HTTP status."""
    if region not in _clients:
        _clients[region] = boto3.client("rds", region_name=region, config=_ONCE)
    try:
        return {"answer": getattr(_clients[region], operation)(**parameters)}
    except ClientError as error:
        said = error.response
        return {
            "error": said["Error"]["Code"],
            "message": said["Error"]["Message"],
            "status": said["ResponseMetadata"]["HTTPStatusCode"],
        }
    except BotoCoreError as error:
        return {"error": type(error).__name__, "message": str(error), "status": 0}


def ask_database(host: str, database: str, user: str, password: str, statement: str) -> dict[str, Any]:
    """Return the rows of a statement that is committed by itself, or the error; waits 3 s at most for either."""
    try:
        with psycopg.connect(
            host=host, dbname=database, user=user, password=password, autocommit=True, connect_timeout=2,
            tcp_user_timeout=2000, options="-c statement_timeout=3000",
        ) as connection:  # fmt: skip
            cursor = connection.execute(statement.encode())
            return {"rows": cursor.fetchall() if cursor.description else []}
    except psycopg.Error as error:
        return {"error": type(error).__name__, "message": str(error)}


def resolve(name: str) -> dict[str, Any]:
    """Return the addresses of a name; none: it has none."""
    try:
        return {
            "addresses": sorted({str(one[4][0]) for one in socket.getaddrinfo(name, 5432, socket.AF_INET)})
        }
    except socket.gaierror:
        return {"addresses": []}


_DO: dict[str, Callable[..., dict[str, Any]]] = {"aws": ask_aws, "sql": ask_database, "resolve": resolve}


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        answer = _DO[asked.pop("do")](**asked)
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
