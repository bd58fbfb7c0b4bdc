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

from failover._leases import LEASE, MARGIN, NAMED, read_left
from failover._notes import Notes
from failover._places import read_places
from failover._telling import StoppedError
from failover._writer import (
    KEY,
    NOBODY,
    Copy,
    await_leases,
    find_unnamed,
    name_writer,
    reach_copies,
)
from failover.fence_primary import explain_half
from failover.name_writer import hand_over
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


class Refusing:
    """A client without credentials that may read nothing."""

    def get_object(self, **_: object) -> None:
        """Be refused."""
        raise refusal("AccessDenied")


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Copy, ...]]:
    """Return both copies in an AWS in which their public buckets are, which Terraform makes, and nothing else."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody")
    with mock_aws():
        first, second = reach_copies(RECOVERY)
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
    """Nobody is named before the primary region is, for as long as a lease lasts; named already it is left alone."""
    name_writer(copies, RECOVERY, notes)
    primary = read_places().primary
    named: list[str] = []

    def wait(notes: Notes, waited: str) -> None:
        named.extend(one.read() for one in copies)
        assert (read_left(notes, waited) or timedelta()) > LEASE
        note_named(notes, ago=LEASE + MARGIN, region=waited)

    hand_over(copies, primary, notes, wait=wait)
    assert named == [NOBODY, NOBODY]
    assert find_unnamed(copies, primary) == []
    hand_over(copies, primary, notes, wait=wait)
    assert len(named) == 2
    assert read_left(notes, RECOVERY) is None
    left = read_left(notes, primary)
    assert left is not None
    assert LEASE < left <= LEASE + MARGIN


def test_given_back_and_broken_off(copies: tuple[Copy, ...], notes: Notes) -> None:
    """Wherever that was, nobody is named, or one region alone; run again everything is waited for anew."""
    name_writer(copies, RECOVERY, notes)
    primary = read_places().primary
    waited: list[list[str]] = []

    def wait(notes: Notes, region: str) -> None:
        waited.append([one.read() for one in copies])
        note_named(notes, ago=LEASE + MARGIN, region=region)

    first, second = copies
    refusing = (
        first,
        Copy(second.bucket, second.region, Dying(second.s3, refusal("SlowDown")), second.anybody),
    )
    with pytest.raises(
        StoppedError, match=r"(?s)meqenet-writer/writer names eu-central-1, not nobody.*run the same"
    ):
        hand_over(refusing, primary, notes, wait=wait)
    assert waited == []
    assert [one.read() for one in copies] == [NOBODY, RECOVERY]

    with pytest.raises(StoppedError, match=r"(?s)a lease to write for 12 s more.*machine's clock"):
        hand_over(copies, primary, notes, wait=lambda *_: None)
    assert [one.read() for one in copies] == [NOBODY, NOBODY]

    first.write(primary)  # as far as it came once more
    hand_over(copies, primary, notes, wait=wait)
    assert waited == [[NOBODY, NOBODY]]
    assert [one.read() for one in copies] == [primary, primary]


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
    """It names nobody, and neither does one that is absent: that is an error, and told."""
    name_writer(copies, RECOVERY, notes)
    copies[1].s3.delete_object(Bucket=copies[1].bucket, Key=KEY)
    (missing,) = find_unnamed(copies, RECOVERY)
    assert missing.startswith("meqenet-writer/writer cannot be read: ")
    copies[1].write(RECOVERY)
    for body in (b"<html>", b"[]", b'{"region": 1}'):
        copies[0].s3.put_object(Bucket=copies[0].bucket, Key=KEY, Body=body)
        (missing,) = find_unnamed(copies, RECOVERY)
        assert missing.startswith("meqenet-status/writer cannot be read: ")


def test_half_of_it(copies: tuple[Copy, ...], notes: Notes) -> None:
    """The primary region may have ceased to write then, and whoever gives up is told how to give it back."""
    name_writer(copies, read_places().primary, notes)
    assert explain_half(find_unnamed(copies, RECOVERY), copies, "eu-west-1") == []
    copies[0].write(RECOVERY)
    told = "\n".join(explain_half(find_unnamed(copies, RECOVERY), copies, "eu-west-1"))
    assert "eu-west-1 may have ceased to write already" in told
    assert "`python -m failover.name_writer eu-west-1`" in told
    copies[1].write(RECOVERY)
    assert explain_half(find_unnamed(copies, RECOVERY), copies, "eu-west-1") == []


def test_a_copy_that_only_we_can_read(copies: tuple[Copy, ...]) -> None:
    """It is read without credentials, as services read it; where those are refused, that is an error, and told."""
    for one in copies:
        one.write(RECOVERY)
    copies[0].s3.delete_bucket_policy(Bucket=copies[0].bucket)
    refusing = Copy(copies[0].bucket, copies[0].region, copies[0].s3, Refusing())
    (missing,) = find_unnamed((refusing, copies[1]), RECOVERY)
    assert missing.startswith("meqenet-status/writer cannot be read: ")
    assert "AccessDenied" in missing
    assert all(one.anybody.meta.config.signature_version is UNSIGNED for one in copies)
    assert not any(one.s3.meta.config.signature_version is UNSIGNED for one in copies)


def test_leases_run_out_by_the_clock_that_nobody_sets(notes: Notes) -> None:
    """A wall clock that is put forward ends no lease sooner; it counts only after the machine was started anew."""
    notes.write(NAMED, RECOVERY)
    said = json.loads(notes.path(NAMED).read_text(encoding="utf-8"))
    said["at"] = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    notes.path(NAMED).write_text(json.dumps(said), encoding="utf-8")
    left = read_left(notes, RECOVERY)
    assert left is not None
    assert LEASE < left <= LEASE + MARGIN
    notes.path(NAMED).write_text(json.dumps({**said, "boot": "of another day"}), encoding="utf-8")
    assert read_left(notes, RECOVERY) == timedelta()


def test_leases_are_waited_for(notes: Notes, capsys: pytest.CaptureFixture[str]) -> None:
    """For what is left of them, since the region was named: told before and after; and no longer."""
    note_named(notes, ago=LEASE + MARGIN - timedelta(seconds=1.5))
    await_leases(notes, RECOVERY)
    assert read_left(notes, RECOVERY) == timedelta()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["what"] for one in told] == [
        "waiting until no service of another region can hold a lease to write",
        "every lease to write has run out",
    ]
    assert 1 < told[0]["seconds"] <= 1.5
    await_leases(notes, RECOVERY)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("role", ["primary", "recovery"])
def test_services_read_what_is_written_here(role: str) -> None:
    """The same copies, and the same length of a lease."""
    component = yaml.safe_load((_MANIFESTS / role / "kustomization.yaml").read_text(encoding="utf-8"))
    told = dict(one.partition("=")[::2] for one in component["configMapGenerator"][0]["literals"])
    copies = [("meqenet-status", RECOVERY), ("meqenet-writer", "us-east-1")]
    assert told["WRITER_URLS"].split() == [
        f"https://{bucket}.s3.{region}.amazonaws.com/{KEY}" for bucket, region in copies
    ]
    assert [(one.bucket, one.region) for one in reach_copies(RECOVERY)] == copies
    assert told["WRITER_LEASE_SECONDS"] == str(int(LEASE.total_seconds()))
