"""Paths of a machine say nothing to a page's reader, and the same drill must look the same anywhere."""

from __future__ import annotations

import re
from typing import Any

# An absolute path of two folders or more, not within an address or another path; its last part is kept.
_PATH = re.compile(r"(?<![\w.:/$}~-])/(?:[\w.+@-]+/)+(?=[\w.+@-])")


def without_folders(text: str) -> str:
    """Return a text in which of every absolute path only the last part is left."""
    return _PATH.sub("…/", text)


def without_folders_in(document: Any) -> Any:
    """Return a JSON document with `without_folders` applied to all of its texts."""
    if isinstance(document, str):
        return without_folders(document)
    if isinstance(document, dict):
        return {key: without_folders_in(value) for key, value in document.items()}
    if isinstance(document, list):
        return [without_folders_in(value) for value in document]
    return document
