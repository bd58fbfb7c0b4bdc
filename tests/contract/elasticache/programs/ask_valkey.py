"""Asks a Valkey server, as an application would: ENDPOINT and a JSON list of commands; prints their answers as JSON."""

from __future__ import annotations

import json
import sys

import valkey


def main() -> None:
    """Ask on one connection; what the server refuses is an answer, too."""
    client = valkey.Valkey(sys.argv[1], socket_timeout=2, socket_connect_timeout=2, decode_responses=True)
    answers: list[object] = []
    for command in json.loads(sys.argv[2]):
        try:
            answers.append(client.execute_command(*command))  # type: ignore[no-untyped-call]
        except valkey.ResponseError as error:
            answers.append(f"{type(error).__name__}: {error}")
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
