"""The gate: the one door of all AWS APIs of the mirror. It knows region and service of every call.

A WSGI application. Region and service come from the credential scope of the signature (SigV4), which an SDK always
sends; a region must agree with the one in the host name that was called. Signatures themselves are not verified:
the mirror's credentials are nobody's secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from drdrill.aws.dialect import name_operation, recognise, say_error
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.protocol import Parameters, parse_request, serialise_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_REGIONAL_NAME = re.compile(r"\.([a-z]{2,3}(?:-[a-z]+)+-\d)\.amazonaws\.com(?::\d+)?$")
_MAXIMUM_BODY = 1 << 20


class Service(Protocol):
    """An API of one region."""

    @property
    def name(self) -> str:
        """The service's name in botocore and in signatures."""
        ...

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented, by name."""
        ...


class Gate:
    """Routes calls to the services of the regions, and answers in AWS's shapes, whatever happens."""

    def __init__(self, services: Mapping[tuple[str, str], Service], report: Callable[[str], None]) -> None:
        self._services = services
        self._report = report

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        length = min(int(environ.get("CONTENT_LENGTH") or 0), _MAXIMUM_BODY)
        body = environ["wsgi.input"].read(length)  # drained before any refusal: the connection stays usable
        region, service = read_scope(environ)
        try:
            document = self._answer(environ, region, service, body)
        except AwsError as error:
            return self._refuse(environ, service, error, start_response)
        except Exception as error:  # noqa: BLE001  (the edge: an SDK must get an AWS error, and we must hear of it)
            self._report(f"{service}.{region}: {type(error).__name__}: {error}")
            failure = AwsError("InternalFailure", f"The mirror failed: {error}", status=500)
            return self._refuse(environ, service, failure, start_response)
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [document]

    @staticmethod
    def _refuse(
        environ: dict[str, Any],
        service: str,
        error: AwsError,
        start_response: Callable[[str, list[tuple[str, str]]], object],
    ) -> Iterable[bytes]:
        headers, document = say_error(recognise(environ, service), error)
        start_response(f"{error.status} Error", headers)
        # A body after HEAD would be read as the beginning of the connection's next answer.
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [document]

    def _answer(self, environ: Mapping[str, Any], region: str, service: str, body: bytes) -> bytes:
        if not service:
            raise AwsError(
                "MissingAuthenticationToken", "Request is missing Authentication Token", status=403
            )
        called = _REGIONAL_NAME.search(str(environ.get("HTTP_HOST", "")))
        if called and called[1] != region:
            raise AwsError(
                "SignatureDoesNotMatch",
                f"Credential should be scoped to a valid region: signed for {region}, sent to {called[1]}.",
                status=403,
            )
        target = self._services.get((region, service))
        if target is None:
            raise NotImplementedInMirrorError(f"{name_operation(environ, service, body)} in {region}")
        operation, parameters = parse_request(service, body)
        implementation = target.operations().get(operation)
        if implementation is None:
            raise NotImplementedInMirrorError(f"{service}:{operation}")
        return serialise_response(service, operation, implementation(parameters))


def read_scope(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Return region and service of a signed request, from its header or its query; empty where it is unsigned."""
    signed = str(environ.get("HTTP_AUTHORIZATION", ""))
    if not signed:
        query = parse_qs(str(environ.get("QUERY_STRING", "")))
        signed = "Credential=" + query.get("X-Amz-Credential", [""])[0]
    found = _SCOPE.search(signed)
    return (found[1], found[2]) if found else ("", "")
