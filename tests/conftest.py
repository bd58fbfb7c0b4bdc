"""What tests of several folders need."""

from __future__ import annotations

import pytest

from drdrill.dataplane.kubernetes_build import prepare_programs


@pytest.fixture(scope="session")
def kubernetes() -> None:
    """Build Kubernetes' programs where a machine lacks them (5 minutes, once): no test that needs them is skipped."""
    prepare_programs(print)
