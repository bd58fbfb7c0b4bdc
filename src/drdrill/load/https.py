"""Requests by a public name as users' programs send them: TLS, open connections, a resolver that honours TTL."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from drdrill.load.exhaustion import is_exhaustion
from drdrill.load.resolver import ResolutionError
from drdrill.record.ledger import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from drdrill.load.resolver import Resolver

_KEPT_SECONDS = 15.0
_SERVER_ERROR = 500
# What an Application Load Balancer says itself where a target group has no target in use: it handed nothing on
# (Application Load Balancers User Guide, "Troubleshoot", HTTP 503). A service's own 503 comes through it with the same
# header, and with the zone that every service names.
_NO_TARGET = 503, "awselb/2.0"


@dataclass(frozen=True, slots=True)
class Said:
    """What became of one request. `status`: 0: nobody answered; `zone`: where it was answered, as it says itself."""

    outcome: Outcome
    status: int = 0
    zone: str = ""
    body: bytes = b""
    reason: str = ""

    def field(self, name: str) -> str:
        """Return a field of its JSON, as text; `` where it has none."""
        try:
            said: Any = json.loads(self.body)
        except ValueError:
            return ""
        return str(said[name]) if isinstance(said, dict) and name in said else ""


class _Cohort(AbstractResolver):
    """The cohort's own resolver, as aiohttp asks it: its cache and no other decides where a connection goes."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the address that the name has now."""
        del family
        try:
            address = await self._resolver.resolve(host)
        except ResolutionError as error:
            raise OSError(str(error)) from error
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Do nothing: the resolver belongs to the cohort."""


class Browser:
    """One cohort's connections to one public name; a context manager. `fresh`: a connection for every request.

    `own_balancer`: they lead to one region's own load balancer, and what that says itself is known for a refusal.
    """

    def __init__(
        self,
        base: str,
        resolver: Resolver,
        *,
        timeout_seconds: float,
        authorities: str | None,
        fresh: bool = False,
        own_balancer: bool = False,
    ) -> None:
        self._base = base
        self._own_balancer = own_balancer
        self._fresh = fresh
        self._resolver = resolver
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._tls = ssl.create_default_context(cafile=authorities)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=_Cohort(self._resolver), use_dns_cache=False, family=socket.AF_INET, ssl=self._tls,
            limit=0, force_close=self._fresh, keepalive_timeout=None if self._fresh else _KEPT_SECONDS,
        )  # fmt: skip
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def send(
        self, method: str, path: str, *, headers: Mapping[str, str], content: bytes | None, wanted: list[int]
    ) -> Said:
        """Send one request and say what became of it; raises `OSError` when this machine has run out of something."""
        assert self._session is not None  # noqa: S101  (entered)
        try:
            async with self._session.request(
                method, self._base + path, headers=headers, data=content, timeout=self._timeout, allow_redirects=False
            ) as answer:  # fmt: skip
                body = await answer.read()
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, OSError) and is_exhaustion(error.os_error):
                raise error.os_error from error
            return Said(
                Outcome.NOT_SENT, reason=f"no connection: {error.os_error.strerror or error.os_error}"
            )
        except TimeoutError:
            return Said(Outcome.UNKNOWN, reason="no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Said(Outcome.UNKNOWN, reason=f"{type(error).__name__}: {error}")
        zone = answer.headers.get("x-zone", "")
        if self._own_balancer and not zone and (answer.status, answer.headers.get("server")) == _NO_TARGET:
            return Said(
                Outcome.REJECTED, answer.status, body=body, reason="503 of the load balancer: no target"
            )
        return judge(answer.status, zone, body, wanted)


def judge(status: int, zone: str, body: bytes, wanted: list[int]) -> Said:
    """Say what an answer means: a server's error leaves open whether it was done, everything else is definite."""
    if status in wanted:
        return Said(Outcome.ACKNOWLEDGED, status, zone, body)
    said = body[:200].decode("utf-8", "replace").strip()
    outcome = Outcome.UNKNOWN if status >= _SERVER_ERROR else Outcome.REJECTED
    return Said(outcome, status, zone, body, f"{status} {said}")
