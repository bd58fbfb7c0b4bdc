"""The status page: notices to users, newest first, and the page that shows them. It needs nothing but itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class State(StrEnum):
    """How far it is."""

    INVESTIGATING = "investigating"
    FAILING_OVER = "failing over"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Notice:
    """What users were told, under which key, and when (ISO 8601)."""

    key: str
    at: str
    state: State
    text: str


def read_notices(document: bytes) -> tuple[Notice, ...]:
    """Return the notices of a `notices.json`, newest first; raises `ValueError` for something else."""
    try:
        return tuple(
            Notice(one["key"], one["at"], State(one["state"]), one["text"])
            for one in json.loads(document)["notices"]
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no list of notices: {error!r}") from error


def write_notices(notices: Sequence[Notice]) -> bytes:
    """Return `notices.json`."""
    return (json.dumps({"notices": [asdict(one) for one in notices]}, indent=1) + "\n").encode()


_STYLE = """\
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 0 auto; padding: 1rem }
body { color: #1b1b1b; background: #fff }
h1 { font-size: 1.25rem } article { border-left: .3rem solid #8a6d00; padding: .1rem 0 .1rem .8rem; margin: 1rem 0 }
article.recovered { border-color: #1a7f37 } article.investigating { border-color: #b42318 }
h2 { font-size: 1rem; margin: 0; text-transform: capitalize } p { margin: .2rem 0 } time { color: #5c5c5c }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616 } time { color: #aaa } }
"""


def render_page(notices: Sequence[Notice]) -> bytes:
    """Return the page as HTML: what is newest first; a browser loads it again each half minute."""
    articles = "".join(
        f'<article class="{escape(one.state.value.replace(" ", "-"))}"><h2>{escape(one.state.value)}</h2>'
        f'<p>{escape(one.text)}</p><time datetime="{escape(one.at)}">{escape(one.at[:16].replace("T", " "))} UTC</time>'
        "</article>\n"
        for one in notices
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="30">'
        f"<title>Meqenet status</title>\n<style>\n{_STYLE}</style></head>\n<body>\n<h1>Meqenet status</h1>\n"
        f"{articles or '<p>Everything works.</p>'}</body>\n</html>\n"
    ).encode()
