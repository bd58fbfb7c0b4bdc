"""Who may write: a public object that the services of both regions read, in two copies, none in the primary region.

Services believe whichever copy answers. So a region is named only when every copy names it, and is read here as
services read it: without credentials.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore import UNSIGNED
from botocore.exceptions import BotoCoreError, ClientError

from failover._leases import NAMED, read_left, read_named
from failover._places import STATUS_BUCKET, WITNESS, reach_in
from failover._telling import say
from failover._waiters import await_seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from failover._notes import Notes

KEY = "writer"
NOBODY = "nobody"  # a name that no service takes for its region's
WITNESS_BUCKET = "meqenet-writer"
_WAITS = 60  # seconds, of which a lease and its margin are 12


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy. `s3`: a client of its region; `anybody`: one without credentials."""

    bucket: str
    region: str
    s3: Any
    anybody: Any

    def read(self) -> str:
        """Return which region is named. Raises what AWS raises, and `ValueError` for something else."""
        answer = self.anybody.get_object(Bucket=self.bucket, Key=KEY)
        said = json.loads(answer["Body"].read())
        if not isinstance(said, dict) or not isinstance(said.get("region"), str):
            raise ValueError(f"{self.bucket}/{KEY} names no region")  # noqa: TRY004 (of what a file says)
        return str(said["region"])

    def write(self, region: str) -> None:
        """Name a region; raises what AWS raises."""
        body = json.dumps({"region": region, "since": datetime.now(UTC).isoformat(timespec="seconds")})
        self.s3.put_object(
            Bucket=self.bucket, Key=KEY, Body=f"{body}\n".encode(), ContentType="application/json",
            CacheControl="no-store",
        )  # fmt: skip


def reach_copies(recovery: str) -> tuple[Copy, ...]:
    """Return both copies: services ask the one in the recovery region first."""
    places = ((STATUS_BUCKET, recovery), (WITNESS_BUCKET, WITNESS))
    return tuple(
        Copy(bucket, region, reach_in("s3", region), reach_in("s3", region, signature_version=UNSIGNED))
        for bucket, region in places
    )


def name_writer(copies: Sequence[Copy], region: str, notes: Notes) -> None:
    """Have every copy name a region, and note since when all do; what is named already keeps its note."""
    if read_named(notes, region) and not find_unnamed(copies, region):
        say("named before", region=region)
        return
    notes.remove(NAMED)
    refused = False
    for copy in copies:
        try:
            copy.write(region)
        except (ClientError, BotoCoreError) as error:
            refused = True
            say("not named", region=region, bucket=copy.bucket, reason=str(error))
    if not refused:
        notes.write(NAMED, region)
        say("named as the region that writes", region=region)


def find_unnamed(copies: Sequence[Copy], region: str) -> list[str]:
    """Return of each copy that does not name a region what it does."""
    missing = []
    for copy in copies:
        try:
            named = copy.read()
        except (ClientError, BotoCoreError, ValueError) as error:
            missing.append(f"{copy.bucket}/{KEY} cannot be read: {error}.")
            continue
        if named != region:
            missing.append(
                f"{copy.bucket}/{KEY} names {named or 'no region'}, not {region}, as the one that writes."
            )
    return missing


def await_leases(notes: Notes, region: str) -> None:
    """Wait until every lease of another region must have run out; returns at once where that is not known."""
    left = read_left(notes, region)
    if not left:
        return
    say(
        "waiting until no service of another region can hold a lease to write",
        seconds=round(left.total_seconds(), 1),
    )
    await_seen(
        lambda: ["Leases may still be held."] if read_left(notes, region) else [],
        advice="look at this machine's clock.",
        attempts=_WAITS,
    )
    say("every lease to write has run out")
