"""CBOR: what botocore writes is read, and what is written botocore reads."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import RpcV2CBORParser
from hypothesis import given
from hypothesis import strategies as st

from drdrill.aws import cbor

_LARGEST = 2**64 - 1
_PLAIN = (
    st.booleans()
    | st.integers(-_LARGEST - 1, _LARGEST)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
)


def _nested(plain: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
    )


@given(_nested(_PLAIN | st.none()))
def test_what_is_written_is_read(value: Any) -> None:
    """A value comes back as it was."""
    assert cbor.decode(cbor.encode(value)) == value


@given(_nested(_PLAIN))  # it leaves out members that are null
def test_botocore_reads_what_is_written(value: Any) -> None:
    """The SDK's own parser finds the value that was meant."""
    assert RpcV2CBORParser().parse_data_item(io.BytesIO(cbor.encode(value))) == value


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("9f0102ff", [1, 2]),
        ("bf616101ff", {"a": 1}),
        ("7f61616162ff", "ab"),
        ("5f41614162ff", b"ab"),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
        ("d74401020304", b"\x01\x02\x03\x04"),
        ("f7", None),
    ],
)
def test_other_forms(document: str, value: Any) -> None:
    """Items without a length, shorter floats and tags are read as RFC 8949 says (its appendix A)."""
    assert cbor.decode(bytes.fromhex(document)) == value


@pytest.mark.parametrize(
    "document", ["", "ff", "61", "9f01", "a1", "0101", "1f", "1c", "f8", "bf01ff", "a1ff", "81" * 40 + "01"]
)
def test_what_is_no_document(document: str) -> None:
    """What ends early, goes on too long, or nests too deeply is refused, not guessed at."""
    with pytest.raises(ValueError):  # noqa: PT011  (whatever it says)
        cbor.decode(bytes.fromhex(document))


@given(st.binary(max_size=40))
def test_any_bytes(document: bytes) -> None:
    """Whatever bytes come: they are read, or refused by ValueError."""
    try:
        cbor.decode(document)
    except ValueError:
        return


def test_what_has_no_form() -> None:
    """A value that CBOR has no form for is refused."""
    with pytest.raises(TypeError, match="complex"):
        cbor.encode(1j)
