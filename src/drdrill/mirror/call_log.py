"""Calls to AWS's APIs, told as CloudTrail does: while somebody listens, one description a call of whom is listened to.

Stands before everything that answers, so calls that are refused are told, too. A call that nobody listens to costs
nothing more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from drdrill.aws.call_description import describe_call, is_error, read_outcome
from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drdrill.aws.call_description import CallDescription
    from drdrill.aws.eks.authenticator import Application
    from drdrill.core.clock import Clock

    Tell = Callable[[Mapping[str, object]], None]

_log = logging.getLogger(__name__)


class CallLog:
    """A WSGI application before another one. `tell`: who hears of calls now, and `callers`: of whose, by address."""

    def __init__(self, application: Application, clock: Clock) -> None:
        self._application = application
        self._clock = clock
        self._callers: Mapping[str, str] = {}
        self._tell: Tell | None = None

    def start(self, callers: Mapping[str, str], tell: Tell) -> None:
        """Tell of the calls of these addresses from now on, by the names that stand for them."""
        self._callers, self._tell = callers, tell

    def stop(self) -> None:
        """Tell of nothing any more."""
        self._callers, self._tell = {}, None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        """Pass a call on, and tell how it was answered before its caller hears of it."""
        caller, tell = self._callers.get(str(environ.get("REMOTE_ADDR", ""))), self._tell
        call = _describe(environ) if caller is not None and tell is not None else None
        if call is None or tell is None:
            return self._application(environ, start_response)
        at_ns = self._clock.now_ns()
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def hear(status: str, headers: list[tuple[str, str]]) -> object:
            said.append((status, headers))
            return start_response(status, headers)

        chunks = self._application(environ, hear)
        status, headers = said[-1]
        document = b""
        if is_error(status):
            document = b"".join(chunks)
            chunks = [document]
        outcome, words = read_outcome(call.service, status, headers, document)
        tell(
            {
                "kind": "call",
                "at_ns": at_ns,
                "caller": caller,
                "region": call.region,
                "service": call.service,
                "operation": call.operation,
                "outcome": outcome,
                "seconds": round((self._clock.now_ns() - at_ns) / NANOSECONDS, 6),
                "target": dict(call.target),
                **({"said": words} if words else {}),
            }
        )
        return chunks


def _describe(environ: dict[str, Any]) -> CallDescription | None:
    try:
        return describe_call(environ)
    except Exception as error:  # noqa: BLE001  (whatever somebody sends: it must be answered as if nobody listened)
        _log.warning("a call could not be described: %s: %s", type(error).__name__, error)
        return None
