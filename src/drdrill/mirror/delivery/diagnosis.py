"""Why what was applied does not run: pods that are not ready, in Kubernetes' words and in their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_PODS = 4  # one of each workload: its others fail in the same way
_LOG_LINES = 8
_LONGEST_LINE = 300


class Kubectl(Protocol):
    """Asks a cluster."""

    def __call__(self, *asked: str) -> str:
        """Return what was answered; nothing when that failed."""
        ...


def diagnose(kubectl: Kubectl, namespace: str) -> list[str]:
    """Return a few lines about each workload of a namespace that has a pod which is not ready."""
    place = f"--namespace={namespace}"
    answered = kubectl("get", "pods", place, "--output=json")
    listed: list[dict[str, Any]] = json.loads(answered)["items"] if answered else []
    pods = [one for one in listed if one.get("kind", "Pod") == "Pod"]
    first = {_name_owner(pod): pod for pod in reversed(pods) if _is_wanting(pod)}
    lines: list[str] = []
    for pod in [*reversed(first.values())][:_MOST_PODS]:
        name = pod["metadata"]["name"]
        lines += [f"{namespace}/{name} is not ready: {'; '.join(_say_state(pod))}"]
        events = kubectl(
            "get", "events", place, "--sort-by=.lastTimestamp",
            '--output=jsonpath={range .items[*]}{.message}{"\\n"}{end}',
            f"--field-selector=type=Warning,involvedObject.name={name}",
        )  # fmt: skip
        lines += [f"  event: {line[:_LONGEST_LINE]}" for line in events.splitlines()[-1:]]
        lines += [f"  log: {line[:_LONGEST_LINE]}" for line in _read_log(kubectl, place, pod)]
    return lines or _tell_events(kubectl, place)


def _tell_events(kubectl: Kubectl, place: str) -> list[str]:
    """Return why there are no pods where some are missing: the last thing that was said of each object."""
    answered = kubectl(
        "get", "events", place, "--sort-by=.lastTimestamp", "--field-selector=type=Warning", "--output=json"
    )
    listed: list[dict[str, Any]] = json.loads(answered)["items"] if answered else []
    last = {
        f"{one['involvedObject']['kind']} {one['involvedObject']['name']}": one.get("message", "")
        for one in listed
        if "involvedObject" in one
    }
    return [f"{name}: {words[:_LONGEST_LINE]}" for name, words in list(last.items())[-_MOST_PODS:]]


def _is_wanting(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod has not become what it should be: ready, or done."""
    status = pod["status"]
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", []))
    return not ready and status.get("phase") != "Succeeded"


def _name_owner(pod: Mapping[str, Any]) -> str:
    owners = pod["metadata"].get("ownerReferences", [])
    return str(owners[0]["name"] if owners else pod["metadata"]["name"])


def _say_state(pod: Mapping[str, Any]) -> Iterator[str]:
    status = pod["status"]
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    for one in containers:
        for state, details in one.get("state", {}).items():
            words = [details.get("reason", ""), details.get("message", "")]
            code = details.get("exitCode")
            words += [f"exit status {code}"] if code is not None else []
            words += [f"{one['restartCount']} restarts"] if one.get("restartCount") else []
            said = ", ".join(word for word in words if word)
            yield f"{one['name']} {state}{f' ({said[:_LONGEST_LINE]})' if said else ', not ready'}"
    if not containers:
        why = (one for one in status.get("conditions", []) if one["status"] == "False")
        yield next(
            (f"{one.get('reason', '')}: {one.get('message', '')}" for one in why), status.get("phase", "")
        )


def _read_log(kubectl: Kubectl, place: str, pod: Mapping[str, Any]) -> list[str]:
    """Return the end of a pod's log; of the container before, where that ended."""
    ask = ("logs", pod["metadata"]["name"], place, f"--tail={_LOG_LINES}", "--all-containers")
    restarted = any(one.get("restartCount") for one in pod["status"].get("containerStatuses", []))
    said = kubectl(*ask, "--previous") if restarted else ""
    return (said or kubectl(*ask)).splitlines()[-_LOG_LINES:]
