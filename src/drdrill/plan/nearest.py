"""The nearest right word for a mistyped one, and the words that would have been right."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 8  # a longer list is not read
_SHORTEST = 4  # a shorter word is part of too many others
_ALIKE = 0.65  # a little above difflib's own, at which `normal` is like `uniform`


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def nearest_word(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`, or None when none is like it."""
    plain = {_plain(candidate): candidate for candidate in known}
    found = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=_ALIKE)
    if found:
        return plain[found[0]]
    # `customers_database` for `database`: too long for a ratio, plain to a person.
    part = _plain(word)
    inside = [
        name
        for key, name in plain.items()
        if min(len(part), len(key)) >= _SHORTEST and (part in key or key in part)
    ]
    return inside[0] if len(inside) == 1 else None


def suggest(word: str, known: Iterable[str], *, what: str) -> str:
    """Return the sentence that helps: `Did you mean …?`, or else all that `what` may be, if anything may."""
    names = list(known)
    near = nearest_word(word, names)
    if near is not None:
        return f"Did you mean `{near}`?"
    if not names:
        return ""
    among = ", among others" if len(names) > _SHOWN else ""
    return f"{what}{among}: {', '.join(f'`{name}`' for name in names[:_SHOWN])}."
