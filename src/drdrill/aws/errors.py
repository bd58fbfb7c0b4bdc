"""Errors in AWS's own words: code, message, HTTP status; the gate writes them in the service's protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class AwsError(Exception):
    """An error that the caller's SDK is to raise as AWS's own.

    `details` are what stands beside code and message in a document of the REST-XML protocol; `headers` go with it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        details: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status = status
        self.details = dict(details or {})
        self.headers = dict(headers or {})
        super().__init__(message)


class NotImplementedInMirrorError(AwsError):
    """AWS can do this, the mirror cannot: said by name, and with a status that no SDK retries."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "NotImplemented",
            f"{what} is not implemented by the drdrill mirror. Nothing was done.",
            status=501,
        )
