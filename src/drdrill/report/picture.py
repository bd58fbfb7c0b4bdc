"""A picture as vector graphics: marks at positions, with classes that the page's style sheet colours.

Deterministic: the same calls give the same text. A picture is made for a width; a page shows a wide one or a narrow
one, so that letters keep their size on a telephone.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMESPACE = "http://www.w3.org/2000/svg"
LETTER = 6.3  # the mean width of a letter at 12 px, in px; measured over the labels that pictures have


def read_template(name: str) -> str:
    """Return the text of a file of the templates: `picture.css` is the style sheet that pictures need."""
    return files("drdrill.report").joinpath("templates", name).read_text(encoding="utf-8")


def shorten(text: str, width: float) -> str:
    """Return a text that fits into so many px, with an ellipsis where it was cut."""
    fits = max(1, int(width / LETTER))
    return text if len(text) <= fits else text[: fits - 1].rstrip() + "…"


class Picture:
    """A drawing surface of `width` x `height` px with the origin at its top left."""

    def __init__(self, width: float, height: float, *, title: str, description: str) -> None:
        self.width, self.height = width, height
        self._root = ET.Element(
            "svg",
            {
                "xmlns": _NAMESPACE,
                "viewBox": f"0 0 {_number(width)} {_number(height)}",
                "role": "img",
                "class": "picture",
                "font-family": "system-ui, sans-serif",
                "font-size": "12",
            },
        )
        ET.SubElement(self._root, "title").text = title
        ET.SubElement(self._root, "desc").text = description

    def __repr__(self) -> str:
        return f"Picture({self.width} x {self.height}, {len(self._root)} marks)"

    def rectangle(
        self, x: float, y: float, width: float, height: float, kind: str, *, hint: str | None = None
    ) -> None:
        """Draw a filled rectangle; `hint` shows when somebody points at it."""
        self._add("rect", kind, hint, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0))

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a straight line."""
        self._add("line", kind, None, x1=x1, y1=y1, x2=x2, y2=y2)

    def circle(self, x: float, y: float, radius: float, kind: str, *, hint: str | None = None) -> None:
        """Draw a filled circle."""
        self._add("circle", kind, hint, cx=x, cy=y, r=radius)

    def polygon(self, points: Iterable[tuple[float, float]], kind: str, *, hint: str | None = None) -> None:
        """Draw a filled polygon."""
        mark = self._add("polygon", kind, hint)
        mark.set("points", " ".join(f"{_number(x)},{_number(y)}" for x, y in points))

    def text(self, x: float, y: float, text: str, kind: str = "label", *, anchor: str = "start") -> None:
        """Write one line; `anchor` is start, middle or end, `y` the base line."""
        mark = self._add("text", kind, None, x=x, y=y)
        if anchor != "start":
            mark.set("text-anchor", anchor)
        mark.text = text

    def svg(self, *, standalone: bool = False) -> str:
        """Return the picture as text; a standalone one brings its style and a background."""
        if not standalone:
            return ET.tostring(self._root, encoding="unicode")
        root = ET.fromstring(ET.tostring(self._root, encoding="unicode"))  # noqa: S314 (our own text)
        ET.register_namespace("", _NAMESPACE)
        style = ET.Element(f"{{{_NAMESPACE}}}style")
        style.text = read_template("picture.css")
        background = ET.Element(
            f"{{{_NAMESPACE}}}rect", {"width": "100%", "height": "100%", "class": "background"}
        )
        root.insert(2, style)
        root.insert(3, background)
        root.set("width", _number(self.width))
        root.set("height", _number(self.height))
        return ET.tostring(root, encoding="unicode")

    def _add(self, tag: str, kind: str, hint: str | None, **numbers: float) -> ET.Element:
        mark = ET.SubElement(self._root, tag, {"class": kind})
        for name, value in numbers.items():
            mark.set(name, _number(value))
        if hint is not None:
            ET.SubElement(mark, "title").text = hint
        return mark


def _number(value: float) -> str:
    """Write a coordinate to a tenth of a pixel, without a trailing zero."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
