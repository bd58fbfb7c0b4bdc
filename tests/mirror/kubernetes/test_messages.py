"""The generated messages: they say what `api.proto` says, which is not checked by a compiler here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.image_service import ImageService
from drdrill.mirror.kubernetes.runtime.service import RuntimeService

_SOURCE = (Path(cri.__file__).with_name("api.proto")).read_text(encoding="utf-8")
_NOT_OFFERED = {"CheckpointContainer", "GetContainerEvents", "ListMetricDescriptors", "ListPodSandboxMetrics"}


def _read_source() -> dict[str, dict[str, int]]:
    """Return the fields of all messages of `api.proto` with their numbers."""
    text = re.sub(r"//[^\n]*", "", re.sub(r"/\*.*?\*/", "", _SOURCE, flags=re.DOTALL))
    messages: dict[str, dict[str, int]] = {}
    depth, current = 0, ""
    for line in text.splitlines():
        if depth == 0 and (opened := re.match(r"message (\w+)", line)):
            current = opened[1]
            messages[current] = {}
        if depth == 1 and current and (field := re.search(r"[\w>] +(\w+) *= *(\d+) *(?:\[.*\])?;", line)):
            messages[current][field[1]] = int(field[2])
        depth += line.count("{") - line.count("}")
        current = current if depth or "}" not in line else ""
    return messages


def test_every_message_and_field_of_the_source_is_generated() -> None:
    """Names and numbers of all fields of `api.proto` are those of the generated module."""
    generated = {
        name: {field.name: field.number for field in message.fields}
        for name, message in cri.DESCRIPTOR.message_types_by_name.items()
    }
    assert _read_source() == generated


@pytest.mark.parametrize(
    ("service", "served"), [("RuntimeService", RuntimeService), ("ImageService", ImageService)]
)
def test_every_call_is_answered_or_known_to_be_missing(service: str, served: type) -> None:
    """A call that CRI gains with a newer `api.proto` has to be thought of."""
    calls = set(cri.DESCRIPTOR.services_by_name[service].methods_by_name)
    assert {call for call in calls if not hasattr(served, call)} <= _NOT_OFFERED
