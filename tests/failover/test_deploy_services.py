"""Deploying by the CI: which services an overlay brings, when they serve, and what is said when the CI fails."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from failover import _ci
from failover._places import SYSTEM
from failover._services import OVERLAYS, read_wanted
from failover._telling import StoppedError
from failover.deploy_services import deploy, observe

if TYPE_CHECKING:
    from collections.abc import Iterator

CRITICAL = {"auth": 3, "users": 3, "payments": 3}


@dataclass
class Elbv2:
    """Target groups, and the states of their targets."""

    states: dict[str, list[str]] = field(default_factory=lambda: {name: ["healthy"] for name in CRITICAL})

    def describe_target_groups(self, Names: list[str]) -> dict[str, Any]:  # noqa: N803
        """Answer as Elastic Load Balancing does."""
        there = [name for name in Names if name in self.states]
        return {"TargetGroups": [{"TargetGroupName": one, "TargetGroupArn": f"arn:{one}"} for one in there]}

    def describe_target_health(self, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        """Answer as Elastic Load Balancing does."""
        states = self.states[TargetGroupArn.removeprefix("arn:")]
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": one}} for one in states]}


def test_what_an_overlay_brings() -> None:
    """Critical services alone, or all of them, at production's size."""
    assert read_wanted("recovery-critical") == CRITICAL
    assert read_wanted("recovery-production") == {**CRITICAL, "documents": 2, "notifications": 2}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlays_are_folders_of_the_manifests(overlay: str) -> None:
    """The CI finds them by their names."""
    folder = SYSTEM / "manifests" / "overlays" / overlay
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    for path in (*kustomization["resources"], *kustomization["components"]):
        assert (folder / path / "kustomization.yaml").is_file()


def test_deployed_and_served() -> None:
    """Definitions first; it waits until all targets are healthy, and a second time does no harm."""
    elbv2, asked = Elbv2(), list[tuple[str, str]]()
    assert len(observe(elbv2, CRITICAL)) == 3

    def ask(path: str, cluster: str) -> None:
        asked.append((path, cluster))
        elbv2.states = {name: ["healthy"] * count for name, count in CRITICAL.items()}

    for _ in range(2):
        deploy(elbv2, "recovery-critical", CRITICAL, "meqenet.eu-central-1", ask)
    assert asked[:2] == [
        ("definitions", "meqenet.eu-central-1"),
        ("overlays/recovery-critical", "meqenet.eu-central-1"),
    ]
    assert observe(elbv2, CRITICAL) == []


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([], "has: none"),
        (["healthy"], "has: 1 healthy"),
        (["healthy", "initial"], "has: 1 healthy, 1 initial"),
        (["healthy", "healthy", "unhealthy"], "has: 2 healthy, 1 unhealthy"),
    ],
)
def test_what_does_not_serve_is_said(states: list[str], told: str) -> None:
    """How many are healthy, and what the others are."""
    (missing,) = observe(Elbv2({"auth": states}), {"auth": 2})
    assert missing.startswith("auth is to have 2 healthy targets")
    assert told in missing


def test_what_drains_does_not_count() -> None:
    """It gets no new request, and is gone soon."""
    assert observe(Elbv2({"auth": ["healthy", "healthy", "draining"]}), {"auth": 2}) == []


def test_a_service_without_a_target_group_is_said() -> None:
    """Nobody could reach it."""
    assert observe(Elbv2({}), {"auth": 2}) == ["auth has no target group."]


@contextmanager
def _serve_ci(status: int, answer: bytes) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve a CI that answers every request so; its address, and what it was asked for."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/deploy"
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def test_the_ci_is_asked_for_what_is_on_the_main_branch() -> None:
    """Repository, revision, folder, cluster."""
    with _serve_ci(200, b'{"said": []}') as (address, asked):
        _ci.deploy("overlays/recovery-critical", "meqenet.eu-central-1", address=address)
    assert {key: asked[0][key] for key in ("repository", "revision", "path", "cluster")} == {
        "repository": "system",
        "revision": "main",
        "path": "overlays/recovery-critical",
        "cluster": "meqenet.eu-central-1",
    }


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (500, b'{"error": "auth has no image"}', "auth has no image"),
        (502, b"<html>", "HTTP 502: <html>"),
    ],
)
def test_the_ci_s_own_words_are_told(status: int, answer: bytes, told: str) -> None:
    """What does not run, where, and why."""
    with (
        _serve_ci(status, answer) as (address, _),
        pytest.raises(StoppedError, match=rf"definitions does not run in cluster:\n{told}\nWhat to do: "),
    ):
        _ci.deploy("definitions", "cluster", address=address)


def test_a_ci_that_does_not_answer_is_told() -> None:
    """And how it is done without it."""
    with _serve_ci(200, b"{}") as (address, _):
        pass
    with pytest.raises(StoppedError, match=r"did not answer(.|\n)*kubectl apply -k"):
        _ci.deploy("definitions", "cluster", address=address)
