"""Asks a server over HTTP, a new connection each time, and writes what it answered as JSON.

Called with URL and headers (JSON) in turns; the headers may name a `Host`, and `Times`: how often to ask.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
from urllib.parse import urlsplit


def main() -> None:
    """Ask, and write the answers."""
    answers = []
    arguments = iter(sys.argv[1:])
    for url, text in zip(arguments, arguments, strict=True):
        headers = json.loads(text)
        times = headers.pop("Times", 1)
        answers += [_ask(url, headers) for _ in range(times)]
    sys.stdout.write(json.dumps(answers))


def _ask(url: str, headers: dict[str, str]) -> dict[str, object]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=30)
    try:
        connection.request("GET", parts.path or "/", headers=headers)
        response = connection.getresponse()
        body = response.read().decode()
        said = {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()
    addresses = socket.gethostbyname_ex(parts.hostname or "")[2]
    return {"status": response.status, "headers": said, "body": body, "addresses": sorted(addresses)}


main()
