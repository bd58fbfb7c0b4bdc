"""Objects of a cluster, followed: what is known is what was listed, and what changed since."""

from __future__ import annotations

from typing import Any

import pytest

from drdrill.mirror.load_balancer_controller.cluster_api import ApiError
from drdrill.mirror.load_balancer_controller.watched import Watched
from tests.mirror.load_balancer_controller.fakes import Api, ManualClock


def _one(name: str, version: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": version}}


def _follow(api: Api) -> tuple[Watched, list[str]]:
    changes: list[str] = []
    watched = Watched(api, "/things", lambda: changes.append("changed"), ManualClock())
    with pytest.raises(ApiError):
        watched.follow_once()
    return watched, changes


def test_changes_are_taken_one_after_the_other() -> None:
    """Added, changed and deleted ones; the next watch goes on where this one ended, by bookmarks too."""
    api = Api()
    api.listed = [_one("a", "1"), _one("b", "1")]
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}
    api.events = [
        [{"type": "DELETED", "object": _one("a", "2")}, {"type": "MODIFIED", "object": _one("b", "3")}],
        [{"type": "ADDED", "object": _one("c", "4")}, bookmark],
    ]
    watched, changes = _follow(api)
    assert watched.all() == {("shop", "b"): _one("b", "3"), ("shop", "c"): _one("c", "4")}
    assert api.watched == ["/things from 1", "/things from 3", "/things from 9"]
    assert len(changes) == 4


def test_what_is_known_stays_while_nobody_answers() -> None:
    """Nothing is known before the first list, and everything after the server is gone."""
    api = Api()
    api.silent = True
    watched, changes = _follow(api)
    assert watched.all() is None
    assert not changes
    api.silent, api.listed = False, [_one("a", "1")]
    watched, _ = _follow(api)
    assert watched.all() == {("shop", "a"): _one("a", "1")}


def test_a_version_that_is_too_old_begins_anew() -> None:
    """The server says so in an event, and the next list is whole."""
    api = Api()
    api.events = [[{"type": "ERROR", "object": {"code": 410}}]]
    watched = Watched(api, "/things", lambda: None, ManualClock())
    watched.follow_once()
    assert watched.all() == {}
