"""Calls to AWS's APIs, told as CloudTrail does: while somebody listens, one description a call of whom is listened to.

Stands before everything that answers, so calls that are refused are told, too. A call that nobody listens to costs
nothing more.

::

    open ──▶ its outcome   answered while its caller waits
         ──▶ unanswered    its caller closed the connection first, or nobody listens any more
"""

from __future__ import annotations

import itertools
import logging
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.aws.call_description import describe_call, is_error, read_outcome
from drdrill.core.clock import NANOSECONDS
from drdrill.mirror.connection_watch import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drdrill.aws.call_description import CallDescription
    from drdrill.aws.eks.authenticator import Application
    from drdrill.core.clock import Clock

    Tell = Callable[[Mapping[str, object]], None]

_LOOK_EVERY_SECONDS = 0.25  # how exactly it is known when a caller gave up
_ESTABLISHED = 1  # include/net/tcp_states.h
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Open:
    """A call that is not answered yet, and who is to hear of it. `connection`: None where it is not known."""

    at_ns: int
    caller: str
    call: CallDescription
    connection: socket.socket | None
    tell: Tell


class CallLog:
    """A WSGI application before another one. `tell`: who hears of calls now, and `callers`: of whose, by address."""

    def __init__(self, application: Application, clock: Clock) -> None:
        self._application = application
        self._clock = clock
        self._callers: Mapping[str, str] = {}
        self._tell: Tell | None = None
        self._lock = threading.Lock()
        self._open: dict[int, _Open] = {}
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, callers: Mapping[str, str], tell: Tell) -> None:
        """Tell of the calls of these addresses from now on, by the names that stand for them."""
        self.stop()
        with self._lock:
            self._callers, self._tell = callers, tell
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(self._ended,), name="callers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell of nothing any more, after what is open still is told as unanswered."""
        with self._lock:
            self._callers, self._tell = {}, None
            left = list(self._open)
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        for number in left:
            self._end(number, Outcome.UNANSWERED)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        """Pass a call on, and tell how it was answered before its caller hears of it."""
        caller = self._callers.get(str(environ.get("REMOTE_ADDR", "")))
        call = _describe(environ) if caller is not None else None
        if caller is None or call is None:
            return self._application(environ, start_response)
        number = self._begin(caller, call, environ.get("werkzeug.socket"))
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def hear(status: str, headers: list[tuple[str, str]]) -> object:
            said.append((status, headers))
            return start_response(status, headers)

        try:
            chunks = self._application(environ, hear)
            status, headers = said[-1]
            document = b""
            if is_error(status):
                document = b"".join(chunks)
                chunks = [document]
            outcome, words = read_outcome(call.service, status, headers, document)
        except BaseException:
            with self._lock:
                self._open.pop(number, None)  # the server answers, and says so in its own log
            raise
        self._end(number, outcome, words)
        return chunks

    def _begin(self, caller: str, call: CallDescription, connection: socket.socket | None) -> int:
        """Note a call as open, while somebody listens, and return its number."""
        number = next(self._numbers)
        with self._lock:
            if self._tell is not None:
                self._open[number] = _Open(self._clock.now_ns(), caller, call, connection, self._tell)
        return number

    def _end(self, number: int, outcome: str, words: str = "") -> None:
        """Tell what became of a call, once; an answer that nobody waits for any more is none."""
        with self._lock:
            one = self._open.pop(number, None)
            if one is None:
                return
            if _has_left(one.connection):
                outcome, words = Outcome.UNANSWERED, ""
            one.tell(
                {
                    "kind": "call",
                    "at_ns": one.at_ns,
                    "caller": one.caller,
                    "region": one.call.region,
                    "service": one.call.service,
                    "operation": one.call.operation,
                    "outcome": str(outcome),
                    "seconds": round((self._clock.now_ns() - one.at_ns) / NANOSECONDS, 6),
                    "target": dict(one.call.target),
                    **({"said": words} if words else {}),
                }
            )

    def _watch(self, ended: threading.Event) -> None:
        """End the calls whose callers gave up, some times a second."""
        while not ended.wait(_LOOK_EVERY_SECONDS):
            with self._lock:
                left = [number for number, one in self._open.items() if _has_left(one.connection)]
            for number in left:
                self._end(number, Outcome.UNANSWERED)


def _has_left(connection: socket.socket | None) -> bool:
    """Tell whether a caller has closed its connection: by the first byte of `struct tcp_info` (linux/tcp.h)."""
    if connection is None:
        return False
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED
    except OSError:  # closed on this side, which happens to connections that are broken
        return True


def _describe(environ: dict[str, Any]) -> CallDescription | None:
    try:
        return describe_call(environ)
    except Exception as error:  # noqa: BLE001  (whatever somebody sends: it must be answered as if nobody listened)
        _log.warning("a call could not be described: %s: %s", type(error).__name__, error)
        return None
