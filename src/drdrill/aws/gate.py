"""The gate: the one door of all AWS APIs of the mirror. It knows region and service of every call.

A WSGI application. The region that a call was signed for must agree with the one in the host name that was called.
Signatures themselves are not verified: the mirror's credentials are nobody's secret. What no service of ours answers
goes on to the upstream, if that is known to answer it truly.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.aws.dialect import Dialect, recognise, say_error
from drdrill.aws.document import parse_document, read_operation, serialise_document
from drdrill.aws.ec2_protocol import parse_ec2, serialise_ec2
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.naming import name_operation, read_host, read_scope
from drdrill.aws.protocol import Parameters, parse_request, serialise_response
from drdrill.aws.request_body import Body
from drdrill.aws.rest import parse_rest, serialise_rest
from drdrill.aws.rest_json import parse_rest_json, serialise_rest_json
from drdrill.aws.upstream import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drdrill.aws.delegation import Delegation

_ATTEMPT = re.compile(r"attempt=(\d+)")
_FORM = "application/x-www-form-urlencoded"
_OPEN = ("sts:AssumeRoleWithWebIdentity",)  # whoever shows a token has no key to sign with yet


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

    def __init__(
        self,
        services: Mapping[tuple[str, str], Service],
        report: Callable[[str], None],
        delegation: Delegation | None = None,
    ) -> None:
        self._services = services
        self._report = report
        self._delegation = delegation

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        body = Body(environ)
        region, service = read_scope(environ)
        signed = bool(service)
        if not signed:
            region, service = read_host(environ)
        self._note_repetition(environ, region, service)
        try:
            reply = self._answer(environ, region, service, body, signed=signed)
        except AwsError as error:
            body.drain()
            # SDKs try again what is answered so, and what was done then is there twice.
            if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(
                error, NotImplementedInMirrorError
            ):
                self._report(f"{service}.{region}: answered with status {error.status}: {error}")
            return self._refuse(environ, service, error, start_response)
        except Exception as error:  # noqa: BLE001  (the edge: an SDK must get an AWS error, and we must hear of it)
            body.drain()
            self._report(f"{service}.{region}: {type(error).__name__}: {error}")
            failure = AwsError("InternalFailure", f"The mirror failed: {error}", status=500)
            return self._refuse(environ, service, failure, start_response)
        body.drain()
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._report(f"{service}.{region}: the upstream answered with status {reply.status}")
        start_response(f"{reply.status} {_phrase(reply.status)}", list(reply.headers))
        return reply.chunks

    def _note_repetition(self, environ: Mapping[str, Any], region: str, service: str) -> None:
        """Say in the log that an SDK tries a call again: whoever wonders why something is there twice finds it."""
        attempt = _ATTEMPT.search(str(environ.get("HTTP_AMZ_SDK_REQUEST", "")))
        if attempt is not None and int(attempt[1]) > 1:
            call = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "unknown")
            self._report(
                f"{service}.{region}: attempt {attempt[1]} of call {call}: the one before was not heard"
            )

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
        self, environ: Mapping[str, Any], region: str, service: str, body: Body, *, signed: bool
    ) -> Reply:
        target = self._services.get((region, service))
        delegation = self._delegation
        if delegation is not None and not delegation.covers(region, service):
            delegation = None
        open_to_all = delegation is not None and service == "s3"  # a bucket may be public
        form = body.peek() if str(environ.get("CONTENT_TYPE", "")).startswith(_FORM) else b""
        needs_no_key = open_to_all or (service == "sts" and name_operation(environ, service, form) in _OPEN)
        if not signed and not needs_no_key and (target or delegation or not service):
            raise AwsError(
                "MissingAuthenticationToken", "Request is missing Authentication Token", status=403
            )
        called, _ = read_host(environ)
        if called and called != region and not open_to_all:
            raise AwsError(
                "SignatureDoesNotMatch",
                f"Credential should be scoped to a valid region: signed for {region}, sent to {called}.",
                status=403,
            )
        implemented = target.operations() if target else {}
        if delegation is not None:
            operation = name_operation(environ, service, form).partition(":")[2]
            if operation not in implemented or delegation.takes_over(environ, service):
                return delegation.answer(environ, region, service, operation, body)
        if target is None:
            where = f" in {region}" if region else ""
            raise NotImplementedInMirrorError(f"{name_operation(environ, service, form)}{where}")
        dialect = recognise(environ, service)
        operation, parameters = _read_request(dialect, target.name, environ, service, body.peek())
        implementation = implemented.get(operation)
        if implementation is None:
            raise NotImplementedInMirrorError(f"{target.name}:{operation} in {region}")
        headers, document = _say_answer(dialect, target.name, operation, implementation(parameters))
        return Reply(HTTPStatus.OK, tuple(headers), (document,))


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
        case Dialect.REST_XML | Dialect.WRAPPED_XML:
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
        case Dialect.REST_XML | Dialect.WRAPPED_XML:
            return serialise_rest(name, operation, result)
        case Dialect.REST_JSON:
            return serialise_rest_json(name, operation, result)
        case Dialect.EC2:
            return xml, serialise_ec2(name, operation, result)
        case Dialect.QUERY:
            return xml, serialise_response(name, operation, result)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
