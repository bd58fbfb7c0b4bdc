"""What fakes of AWS's clients have in common: refusals as boto3 raises them, pages, and waiters that only note."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def refusal(code: str, operation: str = "Operation", *, status: int = 400) -> ClientError:
    """Return AWS's refusal of an operation."""
    said = {
        "Error": {"Code": code, "Message": "in AWS's words"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(said, operation)


@dataclass
class FakePages:
    """A paginator with one page."""

    page: Callable[..., dict[str, Any]]

    def paginate(self, **asked: object) -> Iterator[dict[str, Any]]:
        """Return the only page."""
        yield self.page(**asked)


@dataclass
class FakeClient:
    """A client whose waiters wait for nothing, and whose pages are its answers."""

    changes: list[str] = field(default_factory=list)

    def get_waiter(self, name: str) -> FakeWaiter:
        """Return a waiter."""
        return FakeWaiter(name, self.changes)

    def get_paginator(self, operation: str) -> FakePages:
        """Return a paginator."""
        return FakePages(getattr(self, operation))


@dataclass
class FakeWaiter:
    """Notes that it was waited."""

    name: str
    changes: list[str]

    def wait(self, **_: object) -> None:
        """Wait for nothing."""
        self.changes.append(f"wait {self.name}")
