"""What requests say: read, and refused in words where it is not what was expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

LARGEST_ID = (1 << 63) - 1


async def read_object(request: Request) -> Mapping[str, Any]:
    """Return a request's JSON object; raises `HTTPException` 400."""
    try:
        said = json.loads(await request.body())
    except ValueError as error:
        raise HTTPException(400, f"a JSON object was expected: {error}") from error
    if not isinstance(said, dict):
        raise HTTPException(400, "a JSON object was expected")
    return said


async def read_content(request: Request, most: int) -> bytes:
    """Return a request's bytes; raises `HTTPException` 413 when there are none, or once they are more than `most`."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise HTTPException(413, f"more than {most} bytes are not taken")
    if not content:
        raise HTTPException(413, "there is nothing in it")
    return bytes(content)


def read_text(said: Mapping[str, Any], name: str) -> str:
    """Return a text that is not empty; raises `HTTPException` 400."""
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise HTTPException(400, f"`{name}` is missing; a text was expected")
    return value


def read_amount(said: Mapping[str, Any], name: str = "amount_minor") -> int:
    """Return an amount in minor units; raises `HTTPException` 400."""
    value = said.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_ID:
        raise HTTPException(400, f"`{name}`: a whole number above zero was expected")
    return value


def read_id(text: str, name: str) -> int:
    """Return a positive id of 63 bits; raises `HTTPException` 400."""
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= LARGEST_ID:
        raise HTTPException(400, f"{name}: a whole number above zero was expected")
    return int(text)
