"""Two regions, and a bucket of one that is replicated into the other."""

from __future__ import annotations

import pytest

from tests.aws.s3.world import Pair, World


@pytest.fixture
def world() -> World:
    """Return two regions."""
    return World()


@pytest.fixture
def pair(world: World) -> Pair:
    """Return a bucket that is replicated into the other region."""
    return Pair(world)
