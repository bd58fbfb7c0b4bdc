"""A node with a container runtime for the tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mirror.kubernetes.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Return a node whose runtime runs; everything on it ends with the module."""
    made = Node(tmp_path_factory.mktemp("node"))
    try:
        made.boot()
        made.start_runtime()
        yield made
    finally:
        made.stop()
