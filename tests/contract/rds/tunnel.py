"""Lets a program outside of the mirror's network talk to names inside of it: an HTTP proxy that knows only CONNECT.

Runs on the operator's host with a listening socket that was opened outside: `tunnel.py DESCRIPTOR`. What passes is
TLS from end to end, so an SDK behind it verifies names and certificates as it would in AWS. It ends with its input.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading

_READ = 65536


def main() -> None:
    """Accept until standard input ends."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_accept, args=(listening,), daemon=True).start()
    while os.read(0, 1):
        pass


def _accept(listening: socket.socket) -> None:
    while True:
        client, _ = listening.accept()
        threading.Thread(target=_serve, args=(client,), daemon=True).start()


def _serve(client: socket.socket) -> None:
    with client, contextlib.suppress(OSError):
        said = b""
        while b"\r\n\r\n" not in said:
            block = client.recv(_READ)
            if not block:
                return
            said += block
        method, target, *_ = said.decode("latin-1").split()
        host, _, port = target.rpartition(":")
        if method != "CONNECT":
            client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        try:
            server = socket.create_connection((host, int(port)), timeout=10)
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        with server:
            server.settimeout(None)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(_READ):
            target.sendall(block)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
