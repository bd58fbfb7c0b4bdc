"""The status page: a notice is told once in an incident, newest first, on a page that needs nothing else."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from failover._status_page import Notice, State, read_notices, render_page, write_notices
from failover._telling import StoppedError
from failover.tell_users import MESSAGES, observe, tell
from tests.failover.fake_clients import refusal

NOW = datetime(2026, 11, 29, 17, 0, tzinfo=UTC)


class LaptopDiedError(BaseException):
    """The operator's program ends here, and nobody catches that."""


@dataclass
class S3:
    """The bucket, as Terraform makes it."""

    objects: dict[str, bytes] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    dies_at: str = ""  # at which object

    def get_object(self, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803
        """Answer as S3 does."""
        if Key not in self.objects:
            raise refusal("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, Key: str, Body: bytes, ContentType: str, **_: str) -> None:  # noqa: N803
        """Store an object."""
        if self.dies_at == Key:
            raise LaptopDiedError
        self.objects[Key], self.kinds[Key] = Body, ContentType

    def told(self) -> list[str]:
        """Return the keys of all notices, newest first."""
        return [one.key for one in read_notices(self.objects["notices.json"])]


def test_told_once() -> None:
    """The look says no before and yes after; told again, there is one notice."""
    s3 = S3()
    assert observe(s3, "declared", NOW) == ["Users were not told `declared` yet."]
    tell(s3, "declared", NOW)
    tell(s3, "declared", NOW + timedelta(minutes=1))
    assert observe(s3, "declared", NOW + timedelta(hours=2)) == []
    assert s3.told() == ["declared"]
    assert s3.kinds["index.html"].startswith("text/html")


def test_newest_first() -> None:
    """In the list and on the page."""
    s3 = S3()
    for minutes, key in enumerate(("declared", "switched", "recovered")):
        tell(s3, key, NOW + timedelta(minutes=minutes))
    assert s3.told() == ["recovered", "switched", "declared"]
    page = s3.objects["index.html"].decode()
    assert page.index(MESSAGES["recovered"][1]) < page.index(MESSAGES["switched"][1])


@pytest.mark.parametrize("recovered", [True, False])
def test_a_notice_of_another_incident_does_not_count(*, recovered: bool) -> None:
    """An hour after a recovery, or a year later without one, users are told again; old notices stay on the page."""
    s3 = S3()
    tell(s3, "declared", NOW)
    if recovered:
        tell(s3, "recovered", NOW)
    later = NOW + (timedelta(hours=1) if recovered else timedelta(days=365))
    for key in ("declared", "recovered"):
        assert observe(s3, key, later) != []
    tell(s3, "declared", later)
    assert s3.told()[0] == s3.told()[-1] == "declared"


def test_a_failover_is_run_again_at_its_end() -> None:
    """Minutes after the recovery nobody is told once more that it is failing over."""
    s3 = S3()
    for key in ("declared", "switched", "recovered"):
        tell(s3, key, NOW)
    later = NOW + timedelta(minutes=5)
    for key in ("declared", "switched", "recovered"):
        assert observe(s3, key, later) == []
        tell(s3, key, later)
    assert s3.told() == ["recovered", "switched", "declared"]


@pytest.mark.parametrize("dies_at", ["index.html", "notices.json"])
def test_it_goes_on_where_it_died(dies_at: str) -> None:
    """What was stored by half is not seen as told; run again, page and list are whole."""
    s3 = S3(dies_at=dies_at)
    with pytest.raises(LaptopDiedError):
        tell(s3, "declared", NOW)
    assert observe(s3, "declared", NOW) != []
    s3.dies_at = ""
    tell(s3, "declared", NOW)
    assert s3.told() == ["declared"]


def test_a_list_that_is_none_is_not_replaced() -> None:
    """Somebody may need it, or mend it."""
    s3 = S3(objects={"notices.json": b"[]"})
    with pytest.raises(StoppedError, match=r"nothing was changed\.\nWhat to do: "):
        tell(s3, "declared", NOW)
    assert s3.objects == {"notices.json": b"[]"}


def test_notices_are_read_as_they_were_written() -> None:
    """Whatever stands in them."""
    notices = (Notice("key", NOW.isoformat(), State.RECOVERED, 'ሰላም & "all" <is> well'),)
    assert read_notices(write_notices(notices)) == notices


def test_the_page_needs_nothing_else() -> None:
    """No address is loaded from it, a phone shows it in its own width, and texts are no markup."""
    page = render_page([Notice("key", NOW.isoformat(), State.FAILING_OVER, "<script>")]).decode()
    assert "http" not in page.replace("http-equiv", "")
    assert "width=device-width" in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "2026-11-29 17:00 UTC" in page
    assert len(page) < 2000
    assert "Everything works." in render_page([]).decode()
