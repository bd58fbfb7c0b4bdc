"""Serves objects whose methods are named like the calls of a gRPC service, and translates what they raise."""

from __future__ import annotations

import logging
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import message_factory

from drdrill.core.errors import DrdrillError, InvalidInputError
from drdrill.mirror.kubernetes.runtime.catalogue import ImageNotFoundError
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.errors import (
    NotFoundError,
    NotOfferedError,
    TookTooLongError,
    WrongStateError,
)

if TYPE_CHECKING:
    from pathlib import Path

# A container that is stopped holds a thread for its whole grace: as many as a large node's pods end at once.
_THREADS = 128
_STATUS = {
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    ImageNotFoundError: grpc.StatusCode.NOT_FOUND,
    WrongStateError: grpc.StatusCode.FAILED_PRECONDITION,
    NotOfferedError: grpc.StatusCode.UNIMPLEMENTED,
    TookTooLongError: grpc.StatusCode.DEADLINE_EXCEEDED,
    InvalidInputError: grpc.StatusCode.INVALID_ARGUMENT,
}
_log = logging.getLogger("drdrill.mirror.kubernetes.runtime")


class Server:
    """A gRPC server on a Unix socket. Methods that a service lacks are answered with UNIMPLEMENTED and their name."""

    def __init__(self, services: dict[str, object], path: Path) -> None:
        self._server = grpc.server(futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="call"))
        for name, service in services.items():
            self._server.add_generic_rpc_handlers((_describe_service(name, service),))
        path.unlink(missing_ok=True)
        self._server.add_insecure_port(f"unix://{path}")

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Stop answering; calls under way are given up."""
        self._server.stop(None).wait()


def _describe_service(name: str, service: object) -> grpc.GenericRpcHandler:
    described = cri.DESCRIPTOR.services_by_name[name]
    handlers = {}
    for method in described.methods:
        kind = message_factory.GetMessageClass(method.input_type)
        answer = _guard(getattr(service, method.name, None), method.name)
        make = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        handlers[method.name] = make(
            answer, request_deserializer=kind.FromString, response_serializer=lambda m: m.SerializeToString()
        )
    return grpc.method_handlers_generic_handler(described.full_name, handlers)


def _guard(method: Any, name: str) -> Any:
    """Return the handler of a call: what the method raises becomes a status with its sentence."""

    def answer(request: Any, context: Any) -> Any:
        if method is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{name} is not offered by this container runtime.")
        try:
            return method(request)
        except (DrdrillError, OSError) as error:
            status = next(
                (code for kind, code in _STATUS.items() if isinstance(error, kind)), grpc.StatusCode.UNKNOWN
            )
            _log.info("%s: %s: %s", name, status.name, error)
            context.abort(status, str(error))
        except Exception as error:  # noqa: BLE001  (a call that fails must not look like one that hangs)
            _log.exception("%s failed", name)
            context.abort(grpc.StatusCode.INTERNAL, f"{name}: {type(error).__name__}: {error}")

    return answer
