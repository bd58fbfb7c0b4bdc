"""What the company's services promise to those who call them, and what a failure beside them does not break."""

from __future__ import annotations

import json
import random
import signal
import threading
from contextlib import closing
from typing import TYPE_CHECKING

from drdrill.core.waiting import wait_until
from tests.system.services.conftest import EVERY, SERVICES, WITHIN

if TYPE_CHECKING:
    from tests.system.services.conftest import Answer, Company

_UNBALANCED = (
    "select payment_id from ledger_entries group by payment_id, posting having sum(amount_minor) <> 0"
)
_OPEN = "select id from payments where state = 'pending'"


def test_a_service_waits_for_its_schema(ready: Company) -> None:
    """A service lives without a schema, is not ready, says why, and is ready by itself once it is there."""
    ready.query("payments", "alter table alembic_version rename to another")
    try:
        answer = ready.await_status("payments", "/readyz", 503)
        assert answer.said["error"] == "the schema is at ``, and `0001` was expected"
        assert ready.ask("payments", "GET", "/healthz").status == 200
    finally:
        ready.query("payments", "alter table another rename to alembic_version")
    for service in SERVICES:
        assert ready.await_status(service, "/readyz", 200).said == {"writable": True}
    ready.migrate()  # again: nothing is due


def test_every_answer_is_signed(ready: Company) -> None:
    """Every answer says which service gave it, where, and in which pod; errors are JSON in words."""
    answer = ready.ask("users", "GET", "/users/me")
    assert answer.status == 401
    assert answer.said == {"error": "log in first: the header `Authorization: Bearer TOKEN` was expected"}
    assert (answer.headers["x-service"], answer.headers["x-zone"], answer.headers["x-pod"]) == (
        "users", "eu-west-1a", "test",
    )  # fmt: skip
    assert ready.ask("users", "GET", "/nothing").said == {"error": "Not Found"}


def test_sessions(ready: Company) -> None:
    """Who has the password gets a session; it ends when it is ended, or when the cache lost it."""
    wrong = json.dumps({"user": "user-0001", "password": "guess"}).encode()
    assert ready.ask("auth", "POST", "/auth/login", wrong).status == 401
    nobody = json.dumps({"user": "nobody", "password": "guess"}).encode()
    assert (
        ready.ask("auth", "POST", "/auth/login", nobody).said["error"] == "no such user, or another password"
    )
    assert ready.ask("auth", "POST", "/auth/login", b"[]").said == {"error": "a JSON object was expected"}
    bearer = f"Bearer {ready.log_in('user-0001')}"
    me = ready.ask("users", "GET", "/users/me", Authorization=bearer).said
    assert (me["user"], me["name"]) == ("user-0001", "User 1")
    assert ready.ask("auth", "POST", "/auth/logout", b"", Authorization=bearer).status == 204
    assert ready.ask("users", "GET", "/users/me", Authorization=bearer).status == 401


def test_a_payment_is_taken_once(ready: Company) -> None:
    """The same key is the same payment; its saga completes it, the books balance, and its user is told."""
    token = ready.log_in("user-0002")
    first = ready.pay(token, 1001)
    assert (first.status, first.said["payment"]) == (201, 1001)
    ready.await_quiet()
    again = ready.pay(token, 1001)
    assert (again.status, again.said) == (200, {"payment": 1001, "state": "completed"})
    assert ready.pay(token, 1001, amount=5).said["error"] == "this Idempotency-Key belongs to another payment"
    assert ready.pay(ready.log_in("user-0003"), 1001).status == 422
    rows = "select posting, account, amount_minor from ledger_entries where payment_id = 1001 order by posting, account"
    assert ready.query("payments", rows) == [
        ("accept", "clearing", 12_345), ("accept", "customer", -12_345),
        ("settle", "clearing", -12_345), ("settle", "merchant", 12_345),
    ]  # fmt: skip
    told = ready.ask("notifications", "GET", "/notifications", Authorization=f"Bearer {token}").said
    assert [one["text"] for one in told["notifications"]] == ["Your payment of 123.45 ETB is completed."]


def test_wrong_payments(ready: Company) -> None:
    """A payment without a key, an amount or a session is refused in words, and nothing of it stays."""
    token = ready.log_in("user-0002")
    assert ready.pay("nobody's", 1002).status == 401
    for key, body, words in (
        ("x", {"amount_minor": 1, "merchant": "m"}, "the header Idempotency-Key: a whole number"),
        (str(1 << 63), {"amount_minor": 1, "merchant": "m"}, "the header Idempotency-Key: a whole number"),
        ("1002", {"amount_minor": 0, "merchant": "m"}, "`amount_minor`: a whole number above zero"),
        ("1002", {"amount_minor": True, "merchant": "m"}, "`amount_minor`: a whole number above zero"),
        ("1002", {"amount_minor": 1}, "`merchant` is missing"),
    ):
        answer = ready.ask(
            "payments", "POST", "/payments", json.dumps(body).encode(),
            Authorization=f"Bearer {token}", Idempotency_Key=key,
        )  # fmt: skip
        assert answer.status == 400
        assert answer.said["error"].startswith(words)
    assert ready.query("payments", "select 1 from payments where id = 1002") == []


def test_credit_that_is_used_up(ready: Company) -> None:
    """A payment beyond the credit is cancelled by its saga, and the money is booked back."""
    token = ready.log_in("user-0020")
    assert ready.pay(token, 1003, amount=1_000_000).status == 201
    ready.await_quiet()
    assert ready.pay(token, 1004, amount=1).status == 201
    ready.await_quiet()
    answer = ready.ask("payments", "GET", "/payments/1004", Authorization=f"Bearer {token}")
    assert answer.said["state"] == "cancelled"
    totals = "select account, sum(amount_minor)::bigint from ledger_entries where payment_id = 1004 group by account"
    assert dict(ready.query("payments", totals)) == {"customer": 0, "clearing": 0}
    assert ready.query("users", "select 1 from users.reservations where payment_id = 1004") == []


def test_documents(ready: Company) -> None:
    """A document is an object's version with a row that names it; the newest one is given back, checked."""
    bearer = f"Bearer {ready.log_in('user-0004')}"
    stored = [
        ready.ask("documents", "PUT", "/documents/passport", content, Authorization=bearer).said
        for content in (b"an old one", b"a new one")
    ]
    assert stored[0]["version_id"] != stored[1]["version_id"]
    answer = ready.ask("documents", "GET", "/documents/passport", Authorization=bearer)
    assert (answer.body, answer.headers["x-sha256"]) == (b"a new one", stored[1]["sha256"])
    assert ready.ask("documents", "GET", "/documents/visa", Authorization=bearer).status == 404
    too_many = bytes((1 << 20) + 1)
    for content, words in (
        (b"", "there is nothing in it"),
        (too_many, "more than 1048576 bytes are not taken"),
    ):
        refused = ready.ask("documents", "PUT", "/documents/odd", content, Authorization=bearer)
        assert (refused.status, refused.said) == (413, {"error": words})


def test_a_read_only_database(ready: Company) -> None:
    """A service over a read-only database refuses writes in words, serves reads, and writes again by itself."""
    token = ready.log_in("user-0005")
    _set_read_only(ready, read_only=True)
    try:
        refused = ready.pay(token, 1005)
        assert (refused.status, refused.said["error"]) == (
            503, "the database is read-only: this region does not serve",
        )  # fmt: skip
        assert ready.ask("payments", "GET", "/payments/1005", Authorization=f"Bearer {token}").status == 404
        assert ready.await_status("payments", "/readyz", 200).said == {"writable": False}
    finally:
        _set_read_only(ready, read_only=False)
    assert ready.pay(token, 1005).status == 201


def _set_read_only(company: Company, *, read_only: bool) -> None:
    with closing(company.connect("postgres")) as connection:
        connection.execute(
            f"alter database payments set default_transaction_read_only = {read_only}".encode()
        )
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'payments'"
        )


def test_a_wait_for_the_standby_that_is_cancelled(ready: Company) -> None:
    """Nobody knows what becomes of a payment that no standby has: its repetition is answered only when one has it."""
    token = ready.log_in("user-0009")
    answers: list[Answer] = []

    def pay() -> threading.Thread:
        paying = threading.Thread(target=lambda: answers.append(ready.pay(token, 1009)))
        paying.start()
        return paying

    def waits() -> list[int]:
        return ready.postgres.waiting_backends()

    ready.await_quiet()  # no step of an earlier payment waits as well
    ready.postgres.demand_standby(demanded=True)
    try:
        first = pay()
        (backend,) = wait_until(waits, what="a wait for the standby", within=WITHIN, every=EVERY)
        ready.query("postgres", f"select pg_cancel_backend({backend})")
        first.join()
        assert (answers[0].status, "not known" in answers[0].said["error"]) == (503, True)
        # The step of its saga waits as well: it was committed where nobody else has it.
        again = pay()
        wait_until(
            lambda: len(waits()) > 1 or len(answers) > 1, what="the repetition", within=WITHIN, every=EVERY
        )
        assert len(answers) == 1
    finally:
        ready.postgres.demand_standby(demanded=False)
    again.join()
    assert answers[1].status == 200
    ready.await_quiet()


def test_what_goes_wrong_is_told_as_json(ready: Company) -> None:
    """A service that fails says so in JSON, and its log says why, without the words going to whoever asked."""
    token = ready.log_in("user-0010")
    ready.query("payments", "alter table payments rename column merchant to seller")
    try:
        answer = ready.pay(token, 1010)
    finally:
        ready.query("payments", "alter table payments rename column seller to merchant")
    assert (answer.status, answer.said) == (500, {"error": "this service failed; its log says why"})
    assert "UndefinedColumn" in ready.log("payments")


def test_a_cache_that_is_lost(ready: Company) -> None:
    """Without the cache requests are refused in words; with an empty one whoever logs in again is served."""
    token = ready.log_in("user-0006")
    ready.stop_cache()
    assert ready.pay(token, 1006).said == {"error": "the cache does not answer"}
    assert ready.ask("payments", "GET", "/healthz").status == 200
    ready.start_cache()
    assert ready.pay(token, 1006).status == 401
    assert ready.pay(ready.log_in("user-0006"), 1006).status == 201


def test_services_that_die(ready: Company) -> None:
    """Whatever dies while users pay, every payment that was accepted comes to its end, and the books balance."""
    token = ready.log_in("user-0007")
    accepted: list[int] = []
    stopped = threading.Event()

    def pay() -> None:
        key = 2000
        while not stopped.is_set():
            try:
                if ready.pay(token, key).status in (200, 201):
                    accepted.append(key)
                    key += 1
            except OSError:
                stopped.wait(0.02)

    payer = threading.Thread(target=pay)
    payer.start()
    chance = random.Random(20)  # noqa: S311 (a schedule, no secret)
    try:
        for _ in range(3):
            service = chance.choice(("payments", "users", "notifications"))
            before = len(accepted)
            ready.kill(service)
            ready.start(service)
            while len(accepted) < before + 5:
                stopped.wait(0.02)
    finally:
        stopped.set()
        payer.join()
    ready.await_quiet()
    assert ready.query("payments", _OPEN) == ready.query("payments", _UNBALANCED) == []
    paid = {one for (one,) in ready.query("payments", "select id from payments where state = 'completed'")}
    assert set(accepted) <= paid
    reserved = {one for (one,) in ready.query("users", "select payment_id from users.reservations")}
    assert paid == reserved
    told = {one for (one,) in ready.query("users", "select payment_id from notifications.messages")}
    assert paid <= told


def test_an_orderly_end(ready: Company) -> None:
    """A service that is asked to end does, in order, and its log has every line as JSON without a secret."""
    token = ready.log_in("user-0008")
    ready.ask("users", "GET", "/users/me", Authorization=f"Bearer {token}")
    assert ready.end("users") == -signal.SIGTERM
    ready.start("users")
    lines = [json.loads(line) for line in ready.log("users").splitlines()]
    assert {"started", "request", "stopped"} <= {line["event"] for line in lines}
    assert token not in ready.log("users")
    assert token not in ready.log("auth")


def test_a_service_that_ends_is_told_from_one_that_serves(ready: Company) -> None:
    """A service that is asked to end is not ready any more, and still answers whoever comes, without keeping them."""
    bearer = f"Bearer {ready.log_in('user-0011')}"
    ready.end("users")
    ready.start("users", grace_seconds=60)
    ready.await_status("users", "/readyz", 200)
    ready.ask_to_end("users")
    assert ready.await_status("users", "/readyz", 503).said == {"error": "ending"}
    assert ready.ask("users", "GET", "/healthz").status == 200
    answer = ready.ask("users", "GET", "/users/me", Authorization=bearer)
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert ready.end("users") == -signal.SIGTERM  # asked again, it does not wait
    ready.start("users")
