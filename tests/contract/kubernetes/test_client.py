"""The Python client of Kubernetes, in a process outside: reading, changing, and watching with time-outs of its own.

https://github.com/kubernetes-client/python/blob/master/examples/watch/timeout-settings.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes.client import AppsV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.watch import Watch
from urllib3.exceptions import ReadTimeoutError

from drdrill.core.clock import NANOSECONDS, SystemClock
from tests.contract.kubernetes.manifests import container, deployment, pod_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.kubernetes.cluster import Cluster, Operators

pytestmark = pytest.mark.drill
_QUIET = 2  # seconds without an event
_LONG = timedelta(seconds=60)


@pytest.fixture
def core(cluster: Cluster) -> Iterator[Any]:
    """Return a client of the core API."""
    with cluster.client() as client:
        yield CoreV1Api(client)


@pytest.fixture
def apps(cluster: Cluster) -> Iterator[Any]:
    """Return a client of the API of deployments."""
    with cluster.client() as client:
        yield AppsV1Api(client)


def _watch(core: Any, namespace: str, **timeouts: object) -> Iterator[dict[str, Any]]:
    """Return the events of a namespace's config maps from now on."""
    since = core.list_namespaced_config_map(namespace).metadata.resource_version
    events: Iterator[dict[str, Any]] = Watch().stream(
        core.list_namespaced_config_map, namespace, resource_version=since, **timeouts
    )
    return events


def _config_map(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": {"colour": "red"}}


def test_a_deployment_is_made_changed_and_deleted(apps: Any, operators: Operators) -> None:
    """What the client creates, scales and deletes is what kubectl sees; what is not there is a 404, what is, a 409.

    https://kubernetes.io/docs/reference/using-api/api-concepts/
    """
    wanted = deployment("web", 1, pod_spec("web", container(operators.cluster.python)))
    apps.create_namespaced_deployment(operators.namespace, wanted)
    with pytest.raises(ApiException) as caught:
        apps.create_namespaced_deployment(operators.namespace, wanted)
    assert (caught.value.status, caught.value.reason) == (409, "Conflict")
    apps.patch_namespaced_deployment_scale("web", operators.namespace, {"spec": {"replicas": 2}})
    operators.roll_out("web")
    assert len(operators.pods("web")) == 2
    apps.delete_namespaced_deployment("web", operators.namespace)
    with pytest.raises(ApiException) as caught:
        apps.read_namespaced_deployment("web", operators.namespace)
    assert caught.value.status == 404


def test_a_watch_tells_each_change_in_order(core: Any, operators: Operators) -> None:
    """Added, modified, deleted, as they happen, each with a later version; the server ends it after the asked time.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
    """
    namespace = operators.namespace
    events = _watch(core, namespace, timeout_seconds=60)
    core.create_namespaced_config_map(namespace, {**_config_map("paint"), "kind": "ConfigMap"})
    seen = [next(one for one in events if one["object"].metadata.name == "paint")]
    core.patch_namespaced_config_map("paint", namespace, {"data": {"colour": "blue"}})
    seen.append(next(events))
    core.delete_namespaced_config_map("paint", namespace)
    seen.append(next(events))
    assert [one["type"] for one in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert [one["object"].data["colour"] for one in seen] == ["red", "blue", "blue"]
    versions = [int(one["object"].metadata.resource_version) for one in seen]
    assert versions == sorted(versions)
    assert list(_watch(core, namespace, timeout_seconds=1)) == []


def test_a_watch_that_hears_nothing_ends_by_the_clients_own_time(core: Any, operators: Operators) -> None:
    """A client that waits no longer than so long for a word gives up then, whatever the server was asked for.

    https://github.com/kubernetes-client/python/blob/master/examples/watch/timeout-settings.md
    """
    clock = SystemClock()
    began_ns = clock.now_ns()
    with pytest.raises(ReadTimeoutError):
        list(
            _watch(
                core,
                operators.namespace,
                timeout_seconds=3600,
                _request_timeout=(5, _QUIET),
                field_selector="metadata.name=none",
            )
        )
    waited = (clock.now_ns() - began_ns) / NANOSECONDS
    assert _QUIET <= waited < _LONG.total_seconds()
