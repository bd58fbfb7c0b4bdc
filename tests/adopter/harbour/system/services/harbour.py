"""The two services of a harbour: `berths` keeps bookings in PostgreSQL, `tides` computes and keeps nothing."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg

PERIOD_SECONDS = 12.42 * 3600


class Tides(BaseHTTPRequestHandler):
    """Says how high the water is."""

    def do_GET(self) -> None:
        """Answer with the height in metres."""
        self.answer(200, {"metres": round(2 * math.sin(2 * math.pi * time.time() / PERIOD_SECONDS), 2)})

    def answer(self, status: int, content: object) -> None:
        """Send a document of JSON."""
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Berths(Tides):
    """Says how many bookings there are; not ready while the database does not answer."""

    def do_GET(self) -> None:
        """Ask the database."""
        try:
            with psycopg.connect(
                host=os.environ["DATABASE_HOST"],
                dbname="berths",
                user="berths_app",
                password=Path("/etc/database/password").read_text(encoding="ascii"),
                connect_timeout=2,
            ) as connection:
                (version,) = connection.execute("select current_setting('server_version')").fetchone() or (
                    "",
                )
        except psycopg.OperationalError as error:
            self.answer(503, {"error": str(error)})
        else:
            self.answer(200, {"postgresql": version})


if __name__ == "__main__":
    service = {"berths": Berths, "tides": Tides}[sys.argv[1]]
    ThreadingHTTPServer(("", 8080), service).serve_forever()
