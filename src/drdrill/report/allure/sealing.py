"""Closes a generated page against the outside: nothing is loaded, nobody is told who reads it.

The generator writes a script of a company that counts readers. It is taken out, and a policy in the page forbids
the browser whatever else a later version, or an attachment, might want to load.
"""

from __future__ import annotations

import re

from drdrill.core.errors import DrdrillError

# The application is a script in the page, and compiles templates; its workers and pictures are made by it.
_ALLOWED = {
    "default-src": "'none'",
    "script-src": "'unsafe-inline' 'unsafe-eval' data: blob:",
    "style-src": "'unsafe-inline' data:",
    "img-src": "data: blob:",
    "font-src": "data:",
    "media-src": "data: blob:",
    "connect-src": "data: blob:",
    "worker-src": "data: blob:",
    "frame-src": "data: blob:",
    "form-action": "'none'",
}
POLICY = "; ".join(f"{what} {sources}" for what, sources in _ALLOWED.items())
_METAS = (
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',  # else a telephone shows it tiny
)
_HEAD = re.compile(r'<meta charset="utf-8">')
_SCRIPT = re.compile(r"[ \t]*<script\b[^>]*>.*?</script>\n?", re.DOTALL)
_REMOTE = re.compile(
    r"<(?:script|link|img|iframe|source|object|embed)\b[^>]*?\b(?:src|href|data)=[\"']?(?:https?:)?//"
)
_APPLICATION = 100_000  # bytes; the script that counts readers has 500
_COUNTS_READERS = ("googletagmanager", "gtag(")


class UnsealedPageError(DrdrillError):
    """The generated page is not as this version of the generator writes it: it cannot be closed with certainty."""


def seal(page: str, styles: str = "") -> str:
    """Return the page without scripts that count readers, with the policy and with more styles.

    Raises `UnsealedPageError` when it is not certain that nothing is left that loads something from outside.
    """
    if not _HEAD.search(page):
        raise UnsealedPageError("the generated page has no place for a content security policy.")
    sealed = _SCRIPT.sub(_keep_unless_counting, page)
    sealed = _HEAD.sub(
        lambda match: "\n    ".join((match.group(), *_METAS, f"<style>\n{styles}</style>")), sealed, count=1
    )
    remote = _REMOTE.search(sealed)
    if remote:
        raise UnsealedPageError(f"the generated page loads something from outside: `{remote.group()[:200]}`.")
    return sealed


def _keep_unless_counting(script: re.Match[str]) -> str:
    text = script.group()
    # The application itself is a data: address of megabytes that is not to be searched for words.
    return "" if len(text) < _APPLICATION and any(word in text for word in _COUNTS_READERS) else text
