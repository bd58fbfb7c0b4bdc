"""Taking the control plane of one AWS service away while its data plane goes on, over the control socket.

Stands before the gate, so it is one way for every service: Route 53's calls fail in us-east-1 while names are answered
and health checks move them, RDS's in a region while databases serve.

::

    refused    an error of the server at once, which SDKs try again
    throttled  an error that asks for fewer calls, which SDKs try again later
    silent     no answer until it is restored, or for as long as nobody waits

What a service's users call while they serve is its data plane, and is answered: an object of S3, a secret, a key's use.
"""

from __future__ import annotations

import re
import threading
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from drdrill.aws.dialect import recognise, say_error
from drdrill.aws.errors import AwsError
from drdrill.aws.naming import name_operation, read_host, read_scope
from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drdrill.aws.eks.authenticator import Application

_LONGEST_SILENCE_SECONDS = 120.0  # SDKs wait 60 s for an answer
_EVERYTHING = re.compile(".*")
# By the names in signatures. Modelled: of services that name the operation in the body, or whose own control plane is
# elsewhere (S3), everything is data plane. Source: AWS Fault Isolation Boundaries, "Control planes and data planes".
_DATA_PLANES: Mapping[str, re.Pattern[str]] = {
    "s3": _EVERYTHING,
    "sts": _EVERYTHING,
    "sns": _EVERYTHING,
    "sqs": _EVERYTHING,
    "secretsmanager": re.compile("(Batch)?GetSecretValue"),
    "kms": re.compile("(En|De|ReEn)crypt|GenerateDataKey.*|Generate(Mac|Random)|Sign|Verify(Mac)?"),
    "dynamodb": re.compile("((Batch|Transact)?(Get|Write)|Put|Update|Delete)Items?|Query|Scan"),
}


class Outage(StrEnum):
    """How a control plane is away."""

    REFUSED = "refused"
    THROTTLED = "throttled"
    SILENT = "silent"


_ERRORS = {
    Outage.REFUSED: ("ServiceUnavailable", "The service is temporarily unavailable.", 503),
    Outage.THROTTLED: ("Throttling", "Rate exceeded", 400),
    Outage.SILENT: ("ServiceUnavailable", "The service is temporarily unavailable.", 503),
}


class ControlPlanes:
    """All control planes, as calls meet them (WSGI). Thread-safe. `knows`: whether a region has a service."""

    def __init__(self, gate: Application, knows: Callable[[str, str], bool]) -> None:
        self._gate = gate
        self._knows = knows
        self._changed = threading.Condition()
        self._away: dict[tuple[str, str], Outage] = {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        """Pass a call on to the gate, unless the control plane that it asks is away."""
        if not self._away:
            return self._gate(environ, start_response)
        place = read_scope(environ) if read_scope(environ)[1] else read_host(environ)
        outage = None if _is_data_plane(environ, place[1]) else self._await_answer(place)
        if outage is None:
            return self._gate(environ, start_response)
        code, words, status = _ERRORS[outage]
        headers, document = say_error(recognise(environ, place[1]), AwsError(code, words, status=status))
        # What was sent is not read: the connection cannot be used again.
        start_response(f"{status} Error", [*headers, ("Connection", "close")])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [document]

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "break_control_plane": self.break_control_plane,
            "restore_control_plane": self.restore_control_plane,
        }

    def break_control_plane(self, service: str, region: str, how: str = Outage.REFUSED) -> Mapping[str, Any]:
        """Take a service's control plane in a region away: `service` as in signatures; say which ones are."""
        if how not in set(Outage):
            raise UsageError(f"a control plane cannot be `{how}`; it can be {', '.join(Outage)}.")
        if not self._knows(region, service):
            raise UsageError(f"there is no `{service}` in {region} in this mirror.")
        with self._changed:
            self._away[region, service] = Outage(how)
            self._changed.notify_all()
        return self._describe()

    def restore_control_plane(self, service: str, region: str) -> Mapping[str, Any]:
        """Give a service's control plane in a region back, and say which ones are away still; harmless when it is."""
        if not self._knows(region, service):
            raise UsageError(f"there is no `{service}` in {region} in this mirror.")
        with self._changed:
            self._away.pop((region, service), None)
            self._changed.notify_all()
        return self._describe()

    def _await_answer(self, place: tuple[str, str]) -> Outage | None:
        """Return what a call is answered with, None: by the gate; hold it while its control plane is silent."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._away.get(place) is not Outage.SILENT, _LONGEST_SILENCE_SECONDS
            )
            return self._away.get(place)

    def _describe(self) -> Mapping[str, Any]:
        with self._changed:
            away = sorted(self._away.items())
        return {"away": [{"region": r, "service": s, "how": how.value} for (r, s), how in away]}


def has_control_plane(service: str) -> bool:
    """Tell whether anything of a service, as in signatures, is away with its control plane."""
    return _DATA_PLANES.get(service) is not _EVERYTHING


def _is_data_plane(environ: Mapping[str, Any], service: str) -> bool:
    pattern = _DATA_PLANES.get(service)
    if pattern is None or pattern is _EVERYTHING:
        return pattern is not None
    return pattern.fullmatch(name_operation(environ, service, b"").partition(":")[2]) is not None
