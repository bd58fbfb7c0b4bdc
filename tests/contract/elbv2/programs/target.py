"""A target: says its name, is as healthy as it is told to be, slow or rude when it is asked to.

Called with a name and ports. Ends with its standard input.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME, *PORTS = sys.argv[1:]
STATUS = {"health": 200}
SLOW = {"asked": 0}


class Handler(BaseHTTPRequestHandler):
    """Answers `/health` as it is told by `/become/STATUS`; `/slow/SECONDS` late, `/drop` not at all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        verb, _, argument = self.path.strip("/").partition("/")
        if verb == "drop":
            self.close_connection = True
            return
        if verb == "become":
            STATUS["health"] = int(argument)
        if verb == "slow":
            SLOW["asked"] += 1
            time.sleep(float(argument))
        status = STATUS["health"] if verb == "health" else 200
        said = {
            "name": NAME,
            "slow": SLOW["asked"],
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


for port in PORTS:
    server = ThreadingHTTPServer(("", int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
