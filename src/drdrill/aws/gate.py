"""The gate: the one door of all AWS APIs of the mirror. It knows region and service of every call.

A WSGI application. The region that a call was signed for must agree with the one in the host name that was called.
Signatures themselves are not verified: the mirror's credentials are nobody's secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from drdrill.aws.dialect import Dialect, recognise, say_error
from drdrill.aws.document import parse_document, read_operation, serialise_document
from drdrill.aws.ec2_protocol import parse_ec2, serialise_ec2
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.naming import name_operation, read_host, read_scope
from drdrill.aws.protocol import Parameters, parse_request, serialise_response
from drdrill.aws.rest import parse_rest, serialise_rest
from drdrill.aws.rest_json import parse_rest_json, serialise_rest_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MAXIMUM_BODY = 1 << 20
_CHUNK = 1 << 16


class Service(Protocol):
    """An API of one region."""

    @property
    def name(self) -> str:
        """The service's name in botocore; the one in signatures may be another."""
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
        body = _read_body(environ)
        region, service = read_scope(environ)
        signed = bool(service)
        if not signed:
            region, service = read_host(environ)
        try:
            headers, document = self._answer(environ, region, service, body, signed=signed)
        except AwsError as error:
            return self._refuse(environ, service, error, start_response)
        except Exception as error:  # noqa: BLE001  (the edge: an SDK must get an AWS error, and we must hear of it)
            self._report(f"{service}.{region}: {type(error).__name__}: {error}")
            failure = AwsError("InternalFailure", f"The mirror failed: {error}", status=500)
            return self._refuse(environ, service, failure, start_response)
        start_response("200 OK", headers)
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

    def _answer(
        self, environ: Mapping[str, Any], region: str, service: str, body: bytes, *, signed: bool
    ) -> tuple[list[tuple[str, str]], bytes]:
        target = self._services.get((region, service))
        if not signed and (target or not service):
            raise AwsError(
                "MissingAuthenticationToken", "Request is missing Authentication Token", status=403
            )
        called, _ = read_host(environ)
        if called and called != region:
            raise AwsError(
                "SignatureDoesNotMatch",
                f"Credential should be scoped to a valid region: signed for {region}, sent to {called}.",
                status=403,
            )
        if target is None:
            where = f" in {region}" if region else ""
            raise NotImplementedInMirrorError(f"{name_operation(environ, service, body)}{where}")
        dialect = recognise(environ, service)
        operation, parameters = _read_request(dialect, target.name, environ, service, body)
        implementation = target.operations().get(operation)
        if implementation is None:
            raise NotImplementedInMirrorError(f"{target.name}:{operation} in {region}")
        return _say_answer(dialect, target.name, operation, implementation(parameters))


def _read_request(
    dialect: Dialect, name: str, environ: Mapping[str, Any], service: str, body: bytes
) -> tuple[str, Parameters]:
    """Return operation and parameters of a request to the service of botocore's `name`, signed as `service`."""
    asked = environ.get("REQUEST_METHOD") == "GET"
    form = str(environ.get("QUERY_STRING", "")).encode() if asked else body
    match dialect:
        case Dialect.CBOR | Dialect.JSON:
            operation = read_operation(dialect, environ)
            return operation, parse_document(dialect, name, operation, body)
        case Dialect.REST_XML:
            operation = name_operation(environ, service, body).partition(":")[2]
            return operation, parse_rest(name, operation, environ, body) if operation else {}
        case Dialect.REST_JSON:
            return parse_rest_json(name, environ, body)
        case Dialect.EC2:
            return parse_ec2(name, form)
        case Dialect.QUERY:
            return parse_request(name, form)


def _say_answer(
    dialect: Dialect, name: str, operation: str, result: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], bytes]:
    """Return headers and document of an answer."""
    xml = [("Content-Type", "text/xml")]
    match dialect:
        case Dialect.CBOR | Dialect.JSON:
            return serialise_document(dialect, name, operation, result)
        case Dialect.REST_XML:
            return serialise_rest(name, operation, result)
        case Dialect.REST_JSON:
            return serialise_rest_json(name, operation, result)
        case Dialect.EC2:
            return xml, serialise_ec2(name, operation, result)
        case Dialect.QUERY:
            return xml, serialise_response(name, operation, result)


def _read_body(environ: Mapping[str, Any]) -> bytes:
    """Read a request's body to its end, or the SDK would see a broken connection and try again; keep its beginning."""
    stream = environ["wsgi.input"]
    left = None if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
    kept = b""
    while chunk := stream.read(_CHUNK if left is None else min(left, _CHUNK)):
        kept += chunk[: _MAXIMUM_BODY - len(kept)]
        left = None if left is None else left - len(chunk)
    return kept
