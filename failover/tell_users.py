"""Tell users how far it is, on the status page: `python -m failover.tell_users KEY [--look]`.

Keys: `investigating`, `declared`, `switched`, `recovered`. The page is in a bucket of the recovery region that
everybody may read, and is made if it is not there. A notice is told once in an incident, which is over ten minutes
after `recovered`, or after twelve hours. With `--look` it only looks whether it was told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from failover._looking import conclude, make_parser
from failover._places import STATUS_BUCKET, reach, read_places
from failover._public_bucket import open_bucket
from failover._status_page import Notice, State, read_notices, render_page, write_notices
from failover._telling import StoppedError, run, say

_NOTICES, _PAGE = "notices.json", "index.html"
_LONGEST_INCIDENT = timedelta(hours=12)
_AFTER_RECOVERY = timedelta(minutes=10)  # so long a failover that was broken off at its end may be run again
MESSAGES = {
    "investigating": (
        State.INVESTIGATING,
        "Payments and log-ins do not work for many of you. We are looking for the cause.",
    ),
    "declared": (
        State.FAILING_OVER,
        (
            "One of our two regions is lost, and we are bringing everything back in the other one. "
            "A payment that was not confirmed can be sent again: it is never taken twice."
        ),
    ),
    "switched": (
        State.FAILING_OVER,
        "Payments and log-ins come back now. You may have to log in again. We are still checking.",
    ),
    "recovered": (
        State.RECOVERED,
        "Payments and log-ins work again. If a payment of the last hours is missing, please tell us.",
    ),
}


def read_told(s3: Any) -> tuple[Notice, ...]:
    """Return what users were told, newest first; nothing where there is no page yet."""
    try:
        document = s3.get_object(Bucket=STATUS_BUCKET, Key=_NOTICES)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "NoSuchKey"):
            return ()
        raise
    try:
        return read_notices(document)
    except ValueError as error:
        raise StoppedError(
            f"{STATUS_BUCKET}/{_NOTICES} is {error}; nothing was changed.\n"
            "What to do: bring its version of before back, or delete it, and run the same command again."
        ) from error


def observe(s3: Any, key: str, now: datetime) -> list[str]:
    """Return that it was not told, if it was not."""
    if _find(read_told(s3), key, now) is None:
        return [f"Users were not told `{key}` yet."]
    return []


def tell(s3: Any, key: str, region: str, now: datetime) -> None:
    """Put a notice on the page, once, and make the page if it is not there."""
    open_bucket(s3, STATUS_BUCKET, region)
    notices = read_told(s3)
    if _find(notices, key, now) is None:
        state, text = MESSAGES[key]
        notices = (Notice(key, now.isoformat(timespec="seconds"), state, text), *notices)
    # The page first: who finds a notice in the list takes it to be on the page.
    _put(s3, _PAGE, "text/html; charset=utf-8", render_page(notices))
    _put(s3, _NOTICES, "application/json", write_notices(notices))
    say("told", key=key, notices=len(notices))


def _find(notices: tuple[Notice, ...], key: str, now: datetime) -> Notice | None:
    """Return the newest notice of a key in this incident; None: users were not told it."""
    for notice in notices:  # the newest first
        age = now - datetime.fromisoformat(notice.at)
        if age > _LONGEST_INCIDENT or (notice.state is State.RECOVERED and age > _AFTER_RECOVERY):
            return None
        if notice.key == key:
            return notice
    return None


def _put(s3: Any, key: str, kind: str, body: bytes) -> None:
    s3.put_object(Bucket=STATUS_BUCKET, Key=key, Body=body, ContentType=kind, CacheControl="max-age=15")


def main() -> None:
    """Tell, or look."""
    parser = make_parser("Tell users how far it is, on the status page.")
    parser.add_argument("key", choices=sorted(MESSAGES), help="which notice")
    asked, s3, now = parser.parse_args(), reach("s3"), datetime.now(UTC)
    if not asked.look:
        tell(s3, asked.key, read_places().recovery, now)
    conclude(observe(s3, asked.key, now), f"users were told `{asked.key}`")


if __name__ == "__main__":
    run(main)
