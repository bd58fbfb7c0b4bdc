"""CBOR (RFC 8949), as far as AWS's protocol `smithy-rpc-v2-cbor` uses it: plain values to bytes and back.

Instants travel as seconds since 1970 under tag 1.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any


class _Major(IntEnum):
    """The kinds of items, in an item's first three bits."""

    NATURAL = 0
    NEGATIVE = 1
    BYTES = 2
    TEXT = 3
    LIST = 4
    MAP = 5
    TAG = 6
    SIMPLE = 7


_IN_PLACE = 24  # a smaller number stands in the first byte itself
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_INDEFINITE = 31  # until a break
_INSTANT = 1
_FALSE, _TRUE, _NULL, _UNDEFINED = 20, 21, 22, 23
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_BREAK = object()
_DEEPEST = 32


def encode(value: object) -> bytes:
    """Return a value as bytes; raises TypeError for what has no form."""
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


def _write(value: object, parts: list[bytes]) -> None:
    match value:
        case str():
            text = value.encode()
            parts += [_head(_Major.TEXT, len(text)), text]
        case bytes():
            parts += [_head(_Major.BYTES, len(value)), value]
        case datetime():
            parts.append(_head(_Major.TAG, _INSTANT))
            _write(value.timestamp(), parts)
        case Mapping():
            parts.append(_head(_Major.MAP, len(value)))
            for pair in value.items():
                for item in pair:
                    _write(item, parts)
        case Sequence():
            parts.append(_head(_Major.LIST, len(value)))
            for item in value:
                _write(item, parts)
        case _:
            parts.append(_encode_plain(value))


def _encode_plain(value: object) -> bytes:
    match value:
        case None:
            return _head(_Major.SIMPLE, _NULL)
        case bool():
            return _head(_Major.SIMPLE, _TRUE if value else _FALSE)
        case int():
            return _head(_Major.NATURAL, value) if value >= 0 else _head(_Major.NEGATIVE, -1 - value)
        case float():
            return bytes([_Major.SIMPLE << 5 | 27]) + struct.pack(">d", value)
    raise TypeError(f"{type(value).__name__} has no form in CBOR")


def _head(major: _Major, number: int) -> bytes:
    if number < _IN_PLACE:
        return bytes([major << 5 | number])
    code, width = next((code, width) for code, width in _WIDTHS.items() if number < 1 << 8 * width)
    return bytes([major << 5 | code]) + number.to_bytes(width, "big")


def decode(document: bytes) -> Any:
    """Return the value of a document; raises ValueError where it is none."""
    reader = _Reader(document)
    try:
        value = reader.read()
    except (TypeError, OverflowError, OSError) as error:  # a list as a key, an instant that no calendar has
        raise ValueError(str(error)) from error
    if value is _BREAK or reader.left:
        raise ValueError("it is not one CBOR item")
    return value


class _Reader:
    def __init__(self, document: bytes) -> None:
        self._document = document
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._document) - self._at

    def _take(self, count: int) -> bytes:
        if count > self.left:
            raise ValueError("it ends too early")
        self._at += count
        return self._document[self._at - count : self._at]

    def read(self, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        first = self._take(1)[0]
        major, code = _Major(first >> 5), first & 0x1F
        if major is _Major.SIMPLE:
            return self._read_simple(code)
        if code == _INDEFINITE:
            return self._read_until_break(major, depth)
        return self._read_sized(major, self._read_number(code), depth)

    def _read_sized(self, major: _Major, number: int, depth: int) -> Any:
        value: Any = number
        match major:
            case _Major.NEGATIVE:
                value = -1 - number
            case _Major.BYTES:
                value = self._take(number)
            case _Major.TEXT:
                value = self._take(number).decode()
            case _Major.LIST:
                value = [self._read_item(depth) for _ in range(number)]
            case _Major.MAP:
                value = {self._read_item(depth): self._read_item(depth) for _ in range(number)}
            case _Major.TAG:
                tagged = self._read_item(depth)
                value = datetime.fromtimestamp(tagged, UTC) if number == _INSTANT else tagged
        return value

    def _read_item(self, depth: int) -> Any:
        value = self.read(depth + 1)
        if value is _BREAK:
            raise ValueError("an item is missing")
        return value

    def _read_number(self, code: int) -> int:
        if code < _IN_PLACE:
            return code
        if code not in _WIDTHS:
            raise ValueError(f"a length of code {code} has no meaning")
        return int.from_bytes(self._take(_WIDTHS[code]), "big")

    def _read_simple(self, code: int) -> Any:
        if code in _FLOATS:
            (value,) = struct.unpack(_FLOATS[code], self._take(_WIDTHS[code]))
            return value
        values = {_FALSE: False, _TRUE: True, _NULL: None, _UNDEFINED: None, _INDEFINITE: _BREAK}
        if code not in values:
            raise ValueError(f"a simple value of code {code} has no meaning")
        return values[code]

    def _read_until_break(self, major: _Major, depth: int) -> Any:
        items = []
        while (item := self.read(depth + 1)) is not _BREAK:
            items.append(item)
        match major:
            case _Major.LIST:
                return items
            case _Major.MAP if len(items) % 2 == 0:
                return dict(zip(items[::2], items[1::2], strict=True))
            case _Major.BYTES:
                return b"".join(items)
            case _Major.TEXT:
                return "".join(items)
        raise ValueError("it has no length")
