"""What a status page told its readers: the visible text of its versions, as text, each with what is new in it.

The versions are somebody else's HTML: nothing of it but its words comes into a report. Knows nothing of a drill.
"""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_UNSEEN = frozenset({"head", "script", "style", "template", "noscript"})
_WITHIN_LINE = frozenset({
    "a", "abbr", "b", "code", "em", "i", "mark", "small", "span", "strong", "sub", "sup", "u",
})  # fmt: skip
_READ = 200_000  # bytes of a page: what is longer is no notice
_SHOWN = 280  # letters of what is new


def read_text(page: str) -> tuple[str, ...]:
    """Return the lines that a reader of a page sees."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    reader.break_line()
    return tuple(reader.lines)


def read_versions(folder: Path, files: Sequence[str]) -> tuple[str, ...]:
    """Return for each version what is new in it since the one before, shortened, or why that is not known.

    Only the last part of a file's name counts: nothing outside of the folder is read.
    """
    return tuple(_tell(folder, files))


def _tell(folder: Path, files: Sequence[str]) -> Iterator[str]:
    before: Counter[str] = Counter()
    for file in files:
        name = file.replace("\\", "/").rpartition("/")[2]
        path = folder / name
        if not name or not path.is_file():
            yield "its text was not kept"
            continue
        with path.open("rb") as opened:
            lines = read_text(opened.read(_READ).decode("utf-8", errors="replace"))
        told = " · ".join(_find_new(lines, before)) or "nothing new: something was taken away"
        before = Counter(lines)
        yield told if len(told) <= _SHOWN else f"{told[: _SHOWN - 1].rstrip()}…"


def _find_new(lines: Sequence[str], before: Counter[str]) -> Iterator[str]:
    """Yield the lines that are there more often than before; of equal ones the upper, as the newest stands on top."""
    more = Counter(lines) - before
    for line in lines:
        if more[line]:
            more[line] -= 1
            yield line


class _Reader(HTMLParser):
    """Collects visible lines; a tag that is not part of a line ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._line: list[str] = []
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the parser's)
        if not self._unseen and tag in _UNSEEN:
            self._unseen = tag
        self._pass(tag)

    def handle_endtag(self, tag: str) -> None:
        # A page may leave the end of its head out: its body is seen in any case.
        if tag == self._unseen:
            self._unseen = ""
        self._pass(tag)

    def _pass(self, tag: str) -> None:
        if tag == "body" and self._unseen == "head":
            self._unseen = ""
        if tag not in _WITHIN_LINE:
            self.break_line()

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._line.append(data)

    def break_line(self) -> None:
        """End the line that is read."""
        line = " ".join("".join(self._line).split())
        self._line = []
        if line:
            self.lines.append(line)
