"""What the workload asks after users have left, asked of the services' real stores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from drdrill.drill.reconciling import compare
from drdrill.load.workload import load_workload
from environments.embedded.check_documents import ROWS, Document, S3Bucket, find_wrong

if TYPE_CHECKING:
    from drdrill.load.reconciliation import Place
    from tests.system.services.conftest import Company

_WORKLOAD = Path(__file__).resolve().parents[3] / "environments" / "embedded" / "workload.yaml"
_USER = "user-0012"


def _find_wrong(company: Company) -> list[str]:
    """Return all that queries of the workload find wrong."""
    workload = load_workload(_WORKLOAD)
    assert workload.journeys

    def ask(statement: str, at: Place | None) -> list[str]:
        return [str(row[0]) for row in company.query(at.database if at else workload.database, statement)]

    wrong: list[str] = []
    for one in workload.journeys.reconcile:
        if one.wrong is not None:
            wrong += ask(one.wrong, one.at)
        if one.pair is not None:
            left, right = one.pair
            wrong += compare(left, ask(left.keys, left.at), right, ask(right.keys, right.at))
    return wrong


@pytest.fixture
def paid(ready: Company) -> Company:
    """Return the company after a payment that was completed, and one that was cancelled."""
    token = ready.log_in(_USER)
    for key, amount in ((3001, 100), (3002, 1 << 62)):
        assert ready.pay(token, key, amount).status in (200, 201)
    ready.await_quiet()
    return ready


def test_nothing_is_wrong(paid: Company) -> None:
    """After sagas have come to their end every store agrees with itself and with the others."""
    states = "select state from payments where id in (3001, 3002) order by id"
    assert paid.query("payments", states) == [("completed",), ("cancelled",)]
    assert _find_wrong(paid) == []


_ALTERATIONS = [
    ("delete from users.reservations where payment_id = 3001",
     "insert into users.reservations (payment_id, user_id, amount_minor) values (3001, 'user-0012', 100)",
     f"payment 3001 of {_USER} over 100 is completed without such a reservation"),
    ("insert into users.reservations (payment_id, user_id, amount_minor) values (3002, 'user-0012', 7)",
     "delete from users.reservations where payment_id = 3002",
     f"payment 3002 of {_USER} over 7 has a reservation, and is not completed"),
    ("update notifications.messages set user_id = 'another' where payment_id = 3001",
     "update notifications.messages set user_id = 'user-0012' where payment_id = 3001",
     f"payment 3001 of {_USER} has come to its end, and its user was not told"),
]  # fmt: skip


@pytest.mark.parametrize(("alter", "restore", "words"), _ALTERATIONS)
def test_stores_that_do_not_agree(paid: Company, alter: str, restore: str, words: str) -> None:
    """What one store has and the other has not is told with the payment's number."""
    paid.query("users", alter)
    try:
        assert words in _find_wrong(paid)
    finally:
        paid.query("users", restore)


def test_documents_and_their_objects(ready: Company, objects_url: str) -> None:
    """A document that was stored is in the bucket; one whose version was deleted there is missed."""
    bearer = f"Bearer {ready.log_in(_USER)}"
    stored = [
        ready.ask("documents", "PUT", "/documents/visa", os.urandom(100), Authorization=bearer).said
        for _ in range(2)
    ]
    client = boto3.Session("nobody", "nobody").client("s3", endpoint_url=objects_url, region_name="eu-west-1")

    def look() -> list[str]:
        rows = [Document(*row) for row in ready.query("users", ROWS)]
        return list(find_wrong(rows, S3Bucket("documents", client)))

    assert look() == []
    version = stored[0]["version_id"]
    client.delete_object(Bucket="documents", Key=f"{_USER}/visa", VersionId=version)
    assert look() == [f"the document `visa` of {_USER}, version {version} is not in the bucket"]
    ready.query("users", "delete from documents.versions where name = 'visa' and user_id = 'user-0012'")
