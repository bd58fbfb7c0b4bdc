"""The hook over HTTP: what is asked wrongly, what is refused, and what is done, each with a status of its own."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from drdrill.mirror.delivery.server import HookServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mirror.delivery.conftest import Machine

WANTED = {"repository": "system", "revision": "main", "path": "manifests", "cluster": "shop.eu-west-1"}


class Ask(Protocol):
    """Asks the hook."""

    def __call__(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
        """Return the status and the answer."""
        ...


@pytest.fixture
def ask(machine: Machine) -> Iterator[Ask]:
    """Serve a hook on loopback, and return what asks it."""
    with HookServer(("127.0.0.1", 0), machine.deployer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def perform(method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
            try:
                connection.request(method, path, body)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            finally:
                connection.close()

        try:
            yield perform
        finally:
            server.shutdown()
            thread.join()


def test_from_an_empty_machine_to_what_runs(machine: Machine, ask: Ask) -> None:
    """A repository is made, pushed to and deployed from."""
    assert ask("GET", "/healthz") == (200, {"ok": True})
    assert ask("POST", "/repositories/system") == (201, {"repository": "system"})
    assert ask("POST", "/repositories/system") == (200, {"repository": "system"})
    commit = machine.commit("system", {"manifests/kustomization.yaml": "first"})
    status, answer = ask("POST", "/deploy", json.dumps(WANTED).encode())
    assert status == 200
    assert (answer["revision"], answer["cluster"]) == (commit, "shop.eu-west-1")
    assert answer["said"][-1] == 'deployment "web" successfully rolled out'


def test_what_goes_wrong_has_a_status_of_its_own(machine: Machine, ask: Ask) -> None:
    """Not there, refused by the cluster, not up in time: each with the words of whoever said it."""
    ask("POST", "/repositories/system")
    assert ask("POST", "/deploy", json.dumps(WANTED).encode())[0] == 404  # nothing was pushed
    machine.commit("system", {"manifests/kustomization.yaml": "first"})
    machine.say("rollout", "error: timed out waiting for the condition", status=1)
    status, answer = ask("POST", "/deploy", json.dumps(WANTED).encode())
    assert (status, "timed out" in answer["error"]) == (504, True)
    machine.say("apply", "error: forbidden", status=1)
    assert ask("POST", "/deploy", json.dumps(WANTED).encode()) == (422, {"error": "error: forbidden"})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"{", "body"),
        (json.dumps({**WANTED, "colour": "red"}).encode(), "colour: Extra inputs"),
        (json.dumps({**WANTED, "path": "../other"}).encode(), "path: Value error, a folder inside"),
        (json.dumps({**WANTED, "path": "/etc"}).encode(), "path: Value error, a folder inside"),
        (json.dumps({**WANTED, "revision": "--upload-pack=x"}).encode(), "revision: Value error, a branch"),
        (json.dumps({**WANTED, "repository": "a b"}).encode(), "repository: Value error, a name"),
        (json.dumps({**WANTED, "cluster": "-o"}).encode(), "cluster"),
        (json.dumps({**WANTED, "within_seconds": 0}).encode(), "within_seconds"),
        (json.dumps({"repository": "system"}).encode(), "revision: Field required; path: Field required"),
        (b"x" * 70000, "a body of at most 65536 bytes"),
    ],
)
def test_what_is_asked_wrongly(machine: Machine, ask: Ask, body: bytes, words: str) -> None:
    """Every mistake is named, and nothing is done."""
    status, answer = ask("POST", "/deploy", body)
    assert status == 400
    assert words in answer["error"]
    assert not (machine.folder / "asked").exists()


def test_what_there_is_not(ask: Ask) -> None:
    """Other paths are no part of it, and the answer says what is."""
    for method in ("GET", "POST"):
        status, answer = ask(method, "/deployments")
        assert (status, answer) == (
            404,
            {"error": "POST /deploy and POST /repositories/NAME are all there is."},
        )


def test_a_machine_that_is_broken_says_so(machine: Machine, ask: Ask) -> None:
    """Where there is no room to work in, the answer is the machine's fault, with the system's words."""
    ask("POST", "/repositories/system")
    machine.commit("system", {"manifests/kustomization.yaml": "first"})
    work = machine.deployer.repositories.parent / "work"
    work.rmdir()
    status, answer = ask("POST", "/deploy", json.dumps(WANTED).encode())
    assert status == 500
    assert "No such file or directory" in answer["error"]
