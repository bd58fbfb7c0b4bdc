"""Clusters for the contract's tests, in every environment that has one, and a namespace for each test."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.contract.kubernetes.cluster import Cluster, Operators
from tests.contract.kubernetes.embedded import embedded_cluster
from tests.folder_scope import FolderScope

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENVIRONMENTS = {"embedded": embedded_cluster}
_scope = FolderScope(__file__)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the cluster with the last test of this folder."""
    _scope.end_with(nextitem)


@pytest.fixture(scope="session", params=sorted(_ENVIRONMENTS))
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kubernetes: None
) -> Iterator[Cluster]:
    """Bring a cluster up for all tests of this folder, and take it down, whatever happens."""
    del kubernetes  # it is only to be there
    yield from _scope.share(_ENVIRONMENTS[request.param](tmp_path_factory.mktemp("contract")))


@pytest.fixture
def operators(cluster: Cluster) -> Iterator[Operators]:
    """Return people with a namespace of their own, in which nothing of other tests is."""
    made = Operators(cluster, f"contract-{secrets.token_hex(4)}")
    made.kubectl("create", "namespace", made.namespace)
    try:
        # Pods are refused before the account is there that a controller makes.
        made.await_true(
            lambda: made.try_kubectl("get", "serviceaccount", "default").returncode == 0,
            "the account of pods",
        )
        yield made
    finally:
        made.kubectl("delete", "namespace", made.namespace, "--wait=false")
