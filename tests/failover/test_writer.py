"""Naming the region that writes: in every copy, read as services read it, and since when leases run out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore import UNSIGNED
from moto import mock_aws

from failover._leases import LEASE, MARGIN, read_left
from failover._notes import Notes
from failover._places import read_places
from failover._writer import KEY, Copy, await_leases, find_unnamed, name_writer, reach_copies
from tests.failover.fake_clients import refusal
from tests.failover.noted import RECOVERY, note_named

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANIFESTS = Path(__file__).parents[2] / "system" / "manifests" / "components"


class LaptopDiedError(BaseException):
    """The operator's program ends here, and nobody catches that."""


class Dying:
    """A client of S3 that ends at its next object as it was told."""

    def __init__(self, s3: Any, error: BaseException) -> None:
        self._s3, self._error = s3, error

    def put_object(self, **_: object) -> None:
        """End so."""
        raise self._error

    def __getattr__(self, name: str) -> Any:
        """Do everything else as S3 does."""
        return getattr(self._s3, name)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Copy, ...]]:
    """Return both copies in an AWS in which their public buckets are, which Terraform makes, and nothing else."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody")
    with mock_aws():
        first, second = reach_copies()
        first.s3.create_bucket(
            Bucket=first.bucket, CreateBucketConfiguration={"LocationConstraint": first.region}
        )
        second.s3.create_bucket(Bucket=second.bucket)  # in the region that a bucket has which names none
        for one in (first, second):
            everybody = {
                "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{one.bucket}/*",
            }  # fmt: skip
            policy = {"Version": "2012-10-17", "Statement": [everybody]}
            one.s3.put_bucket_policy(Bucket=one.bucket, Policy=json.dumps(policy))
        yield first, second


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    """Return an operator's notes, none of which is written yet."""
    return Notes(tmp_path)


def _what(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line)["what"] for line in capsys.readouterr().out.splitlines()]


def test_every_copy_names_the_region(
    copies: tuple[Copy, ...], notes: Notes, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of them in neither region; named again, nothing is written and no wait begins."""
    assert [one.split()[0] for one in find_unnamed(copies, RECOVERY)] == [
        "meqenet-status/writer", "meqenet-writer/writer",
    ]  # fmt: skip
    name_writer(copies, RECOVERY, notes)
    assert find_unnamed(copies, RECOVERY) == []
    assert [one.region for one in copies] == ["eu-central-1", "us-east-1"]
    for one in copies:
        said = json.loads(one.s3.get_object(Bucket=one.bucket, Key=KEY)["Body"].read())
        assert datetime.now(UTC) - datetime.fromisoformat(said["since"]) < timedelta(minutes=1)
    note_named(notes, ago=timedelta(minutes=5))
    name_writer(copies, RECOVERY, notes)
    assert read_left(notes, RECOVERY) == timedelta()
    assert _what(capsys) == ["named as the region that writes", "named before"]


def test_given_back(copies: tuple[Copy, ...], notes: Notes) -> None:
    """The primary region is named again as the recovery region was, and from then on its leases are counted."""
    name_writer(copies, RECOVERY, notes)
    note_named(notes, ago=timedelta(minutes=5))
    primary = read_places().primary
    name_writer(copies, primary, notes)
    assert find_unnamed(copies, primary) == []
    assert read_left(notes, RECOVERY) is None
    left = read_left(notes, primary)
    assert left is not None
    assert LEASE < left <= LEASE + MARGIN


def test_somebody_gave_it_back_meanwhile(copies: tuple[Copy, ...], notes: Notes) -> None:
    """What is noted and not so is named anew, and waited for anew."""
    name_writer(copies, RECOVERY, notes)
    note_named(notes, ago=timedelta(minutes=5))
    copies[1].write("eu-west-1")
    name_writer(copies, RECOVERY, notes)
    assert find_unnamed(copies, RECOVERY) == []
    assert read_left(notes, RECOVERY) != timedelta()


@pytest.mark.parametrize("number", [0, 1])
def test_it_goes_on_where_it_died(copies: tuple[Copy, ...], notes: Notes, number: int) -> None:
    """Killed before a copy was written nothing is noted, whatever was before; run again the clock begins then."""
    note_named(notes, ago=timedelta(minutes=5))
    dying = list(copies)
    one = copies[number]
    dying[number] = Copy(one.bucket, one.region, Dying(one.s3, LaptopDiedError()), one.anybody)
    with pytest.raises(LaptopDiedError):
        name_writer(dying, RECOVERY, notes)
    assert read_left(notes, RECOVERY) is None
    name_writer(copies, RECOVERY, notes)
    left = read_left(notes, RECOVERY)
    assert left is not None
    assert left > LEASE


def test_a_copy_that_refuses(
    copies: tuple[Copy, ...], notes: Notes, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, the other one is written all the same, and no lease is taken to run out."""
    first, second = copies
    refusing = Copy(first.bucket, first.region, Dying(first.s3, refusal("SlowDown")), first.anybody)
    name_writer((refusing, second), RECOVERY, notes)
    assert [one.split()[0] for one in find_unnamed(copies, RECOVERY)] == ["meqenet-status/writer"]
    assert read_left(notes, RECOVERY) is None
    await_leases(notes, RECOVERY)  # there is nothing that could be waited for
    assert _what(capsys) == ["not named"]


def test_a_copy_that_says_something_else(copies: tuple[Copy, ...], notes: Notes) -> None:
    """It names nobody."""
    name_writer(copies, RECOVERY, notes)
    for body in (b"<html>", b"[]", b'{"region": 1}'):
        copies[0].s3.put_object(Bucket=copies[0].bucket, Key=KEY, Body=body)
        (missing,) = find_unnamed(copies, RECOVERY)
        assert missing.startswith("meqenet-status/writer cannot be read: ")


def test_a_copy_that_only_we_can_read(copies: tuple[Copy, ...]) -> None:
    """It is read without credentials, as services read it."""
    assert all(one.anybody.meta.config.signature_version is UNSIGNED for one in copies)
    assert not any(one.s3.meta.config.signature_version is UNSIGNED for one in copies)


def test_leases_are_waited_for(notes: Notes, capsys: pytest.CaptureFixture[str]) -> None:
    """For what is left of them, since the region was named: told before and after; and no longer."""
    note_named(notes, ago=LEASE + MARGIN - timedelta(seconds=1.5))
    await_leases(notes, RECOVERY)
    assert read_left(notes, RECOVERY) == timedelta()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["what"] for one in told] == [
        "waiting until no service of the old primary's can hold a lease to write",
        "every lease to write has run out",
    ]
    assert 1 < told[0]["seconds"] <= 1.5
    await_leases(notes, RECOVERY)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("role", ["primary", "recovery"])
def test_services_read_what_is_written_here(role: str) -> None:
    """The same copies, the same length of a lease, the same region where none is named."""
    component = yaml.safe_load((_MANIFESTS / role / "kustomization.yaml").read_text(encoding="utf-8"))
    told = dict(one.partition("=")[::2] for one in component["configMapGenerator"][0]["literals"])
    copies = [("meqenet-status", RECOVERY), ("meqenet-writer", "us-east-1")]
    assert told["WRITER_URLS"].split() == [
        f"https://{bucket}.s3.{region}.amazonaws.com/{KEY}" for bucket, region in copies
    ]
    assert [(one.bucket, one.region) for one in reach_copies()] == copies
    assert told["WRITER_LEASE_SECONDS"] == str(int(LEASE.total_seconds()))
    assert told["WRITER_UNLESS_NAMED"] == read_places().primary
