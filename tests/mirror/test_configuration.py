"""The configuration of the embedded mirror: sizes, and mistakes that are told with their place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidInputError, UsageError
from drdrill.mirror.configuration import EmbeddedConfiguration, parse_size
from drdrill.mirror.directory import find_mirror
from drdrill.plan.yaml_file import load_model

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
build: build.py
rds:
  failure_detection: 2 s
  disk: 512 MiB
"""


@pytest.mark.parametrize(
    ("text", "size"),
    [("1 MiB", 1 << 20), ("512MiB", 512 << 20), (" 2 GiB ", 2 << 30), (4096, 4096)],
)
def test_sizes(text: object, size: int) -> None:
    """A size is a number with a binary unit; a plain number counts bytes."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["512", "512 MB", "1.5 GiB", "-1 MiB", "", None, True, 1.5, ["1 MiB"]])
def test_what_is_no_size(text: object) -> None:
    """What is no size is refused with an example of one."""
    with pytest.raises(ValueError, match="512 MiB"):
        parse_size(text)


def test_defaults(tmp_path: Path) -> None:
    """Without a word about it, replication is synchronous and a lost primary is fenced."""
    (tmp_path / "environment.yaml").write_text(TEXT, encoding="utf-8")
    configuration = load_model(tmp_path / "environment.yaml", EmbeddedConfiguration)
    assert configuration.rds.failure_detection == timedelta(seconds=2)
    assert (configuration.rds.disk, configuration.rds.fencing) == (512 << 20, True)
    assert (configuration.rds.standby, configuration.rds.link_delay) == ("synchronous", None)
    assert (configuration.inter_region_link.delay, configuration.inter_region_link.throttle) == (
        timedelta(0),
        None,
    )


def test_the_link_between_regions(tmp_path: Path) -> None:
    """The link has a delay with its unit, and a number of bytes that it passes in a second."""
    text = f"{TEXT}inter_region_link: {{delay: 40 ms, throttle: 10 MiB}}\n"
    (tmp_path / "environment.yaml").write_text(text, encoding="utf-8")
    link = load_model(tmp_path / "environment.yaml", EmbeddedConfiguration).inter_region_link
    assert (link.delay, link.throttle) == (timedelta(milliseconds=40), 10 << 20)


@pytest.mark.parametrize(
    ("before", "after", "line", "field"),
    [
        ("512 MiB", "512 MB", 4, "rds.disk"),
        ("2 s", "soon", 3, "rds.failure_detection"),
        ("disk:", "disc:", 4, "rds.disc"),
        ("build: build.py\n", "", 0, "build"),
        ("disk: 512 MiB", "disk: 512 MiB\n  standby: sometimes", 5, "rds.standby"),
    ],
)
def test_mistakes(tmp_path: Path, before: str, after: str, line: int, field: str) -> None:
    """A mistake is told with its file, its line and its field."""
    (tmp_path / "environment.yaml").write_text(TEXT.replace(before, after), encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        load_model(tmp_path / "environment.yaml", EmbeddedConfiguration)
    mistake = next(one for one in caught.value.mistakes if one.field == field)
    assert mistake.file.endswith("environment.yaml")
    assert mistake.line == line or not line


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "x" * 65, "a b"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    """A mirror's name becomes a path, so whatever could lead elsewhere is refused."""
    with pytest.raises(UsageError, match="is no name of a mirror"):
        find_mirror(tmp_path, name)
