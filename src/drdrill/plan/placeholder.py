"""Placeholders that somebody meant to fill in: `[X hours]`, `TBD`, `TODO`, `<name>`, `xx`."""

from __future__ import annotations

import re

_UNITS = r"(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|%|percent)"
_WHOLE = re.compile(  # the whole text and nothing else
    r"\?+|\.{3,}|…|_{2,}|-{2,}|tb[adc]|todo|fixme|change[ _-]?me|fill[ _-]?(?:me[ _-]?)?in"
    r"|placeholder|[x#*]{2,}|insert[ _-].+",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"\b(?:TBD|TBA|TBC|TODO|FIXME|CHANGEME|X{2,}|x{2,})\b"
    r"|\?{3,}"
    r"|<[^<>@:\s][^<>@:]*>"  # not an address: <a@b>, <https://…>
    r"|\[(?![0-9]+\])[^\[\]]+\](?!\()"  # not a reference [1], not a link [text](address)
    r"|\{\{.*?\}\}|\$\{[^}]*\}"
    rf"|\b[xXnN]\s?{_UNITS}(?![A-Za-z0-9])"
)


def find_placeholder(text: str) -> str | None:
    """Return the placeholder in a text, None if there is none."""
    stripped = text.strip()
    if _WHOLE.fullmatch(stripped):
        return stripped
    found = _INSIDE.search(text)
    return found[0] if found else None
