"""Whether AWS does what it is asked for, each operation asked once by boto3: one JSON line of output.

`python -m drdrill.mirror.ask_apis REGION SERVICE:OPERATION …`. Says of each the error's code, `` where it was answered.
Nothing here knows of a mirror. Exit status 0 whenever it could ask, whatever it was told; 2 for wrong arguments.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXIT_USAGE = 2
_ONCE = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})


def ask(call: Callable[[], object]) -> str:
    """Call once, and return the code of the error, or its kind where nobody answered; `` for an answer."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        return type(error).__name__
    return ""


def main(arguments: Sequence[str]) -> int:
    """Ask and print; return the exit status."""
    region, *asked = arguments or [""]
    pairs = [one.partition(":") for one in asked]
    if not asked or not all(service and operation for service, _, operation in pairs):
        sys.stderr.write("usage: python -m drdrill.mirror.ask_apis REGION SERVICE:OPERATION …\n")
        return _EXIT_USAGE
    # One after the other: making clients is no business of several threads.
    clients = {
        service: boto3.client(service, region, config=_ONCE)
        for service in dict.fromkeys(service for service, _, _ in pairs)
    }
    calls = [getattr(clients[service], operation) for service, _, operation in pairs]
    with ThreadPoolExecutor(len(calls)) as pool:
        said = dict(zip(asked, pool.map(ask, calls), strict=True))
    sys.stdout.write(f"{json.dumps(said)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
