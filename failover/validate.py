"""Use the system as its users do, and say at which step it fails: the critical path's synthetic tests.

    python -m failover.validate [--services critical|others|all] [--target HOST|recovery]

By the public name, as users come in; with `--target` directly by a load balancer, before users are led there
(`recovery`: the recovery region's). Critical: log in, read the profile, pay, read the payment until its saga is over.
Others: store a document and read it back, read messages. It looks and acts at once, and is its own verification: each
run makes a payment of one hundredth of a birr for a test user, who has the credit for it: it has to be completed.
Its id is below 2^40, where no user's program has one: theirs begin with the number of a client, from 1 on, at bit 40.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import sys
from typing import TYPE_CHECKING

from failover._places import reach, read_places
from failover._synthetic import PublicApi
from failover._telling import StoppedError, run, say
from failover._waiters import await_seen
from failover.drain import read_load_balancer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from failover._synthetic import Answer, Api

_IDS = 1 << 40  # of them, one at random: two of a year's validations hardly ever meet
_SAGA_LOOKS = (
    60  # a saga takes less than a second; a step that failed is tried again after 30 s at the latest
)
_DOCUMENT = "failover-validation"
_CANCELLED = (
    "Nobody could pay so: the users service refused the credit.\n"
    "What to do: look whether the database of users has the test user's account, and how much credit it has left "
    "(GET /users/me). Then run the same command again: it makes another payment."
)


class Synthetic:
    """A test user who goes through the system step by step."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._token = ""

    def log_in(self, user: str, password: str) -> None:
        """Begin a session."""
        said = self._ask("log in", "POST", "/auth/login", {"user": user, "password": password})
        self._token = said.json().get("token", "")
        if not self._token:
            raise StoppedError(f"log in: there is no token in the answer. {said.tell()}")

    def use_critical(self) -> None:
        """Read the profile, pay, and read the payment until its saga is over."""
        self._ask("read profile", "GET", "/users/me")
        payment = 1 + secrets.randbelow(_IDS - 1)
        key, content = {"Idempotency-Key": str(payment)}, {"amount_minor": 1, "merchant": "failover"}
        for name in ("pay", "pay again with the same key"):
            self._ask(name, "POST", "/payments", content, headers=key)

        def look() -> list[str]:
            said = self._ask("read payment", "GET", f"/payments/{payment}")
            state = said.json().get("state")
            if state == "cancelled":  # it stays so: nothing is to be waited for
                raise StoppedError(
                    f"read payment: it was cancelled, not completed. {said.tell()}\n{_CANCELLED}"
                )
            if state == "completed":
                return []
            return [f"read payment: its saga does not come to an end. {said.tell()}"]

        advice = "The log of the payments service says which step of the saga fails."
        await_seen(look, advice=advice, attempts=_SAGA_LOOKS)

    def use_others(self) -> None:
        """Store a document, read it back, and read messages."""
        content = secrets.token_bytes(4096)
        path = f"/documents/{_DOCUMENT}"
        self._ask("store document", "PUT", path, content)
        back = self._ask("read document", "GET", path)
        if back.body != content:
            raise StoppedError(f"read document: it is not what was stored ({len(back.body)} bytes).")
        self._ask("read messages", "GET", "/notifications")

    def _ask(
        self,
        step: str,
        method: str,
        path: str,
        content: bytes | dict[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        body = json.dumps(content).encode() if isinstance(content, dict) else content
        sent = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            answer = self._api.request(method, path, headers={**sent, **(headers or {})}, body=body)
        except (OSError, http.client.HTTPException) as error:
            raise StoppedError(f"{step}: {method} {path} was not answered: {error}") from error
        if answer.status not in (200, 201):
            raise StoppedError(f"{step}: {method} {path} failed. {answer.tell()}")
        say(step, status=answer.status)
        return answer


def main() -> None:
    """Go through what was asked for."""
    parser = argparse.ArgumentParser(description="Use the system as its users do.")
    parser.add_argument("--services", choices=("critical", "others", "all"), default="all", help="which")
    parser.add_argument(
        "--target",
        default="",
        metavar="HOST",
        help="a load balancer to be connected to; `recovery`: that one's",
    )
    asked = parser.parse_args()
    target = read_load_balancer(reach("elbv2")) if asked.target == "recovery" else asked.target
    name = read_places().public_name
    synthetic = Synthetic(PublicApi(name, target))
    # A test user of the first migration with much credit, where this host is not told another one.
    user = os.environ.get("SYNTHETIC_USER", "user-0199")
    synthetic.log_in(user, os.environ.get("SYNTHETIC_PASSWORD", "let me pay"))
    if asked.services != "others":
        synthetic.use_critical()
    if asked.services != "critical":
        synthetic.use_others()
    sys.stdout.write(f"{name} works{f' by {target}' if target else ''}: {asked.services}\n")


if __name__ == "__main__":
    run(main)
