"""What a modification makes of an instance's record, and when a maintenance window is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from drdrill.aws.rds.maintenance import choose_window, find_mistake, is_within
from drdrill.aws.rds.model import InstanceRecord, PendingChanges
from drdrill.aws.rds.modification import plan_changes

RECORD = InstanceRecord(
    identifier="payments", resource_id="db-1", region="eu-west-1", instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=True,
    publicly_accessible=False, deletion_protection=False, endpoint="e", parameter_group="default.postgres18",
)  # fmt: skip
ANOTHER = "a-new-password"


def _pending(parameters: dict[str, Any], record: InstanceRecord = RECORD) -> tuple[dict[str, Any], set[str]]:
    pending = plan_changes(record, parameters).pending
    return {name: getattr(pending, name) for name in pending.names()}, set(pending.due)


@pytest.mark.parametrize(
    ("parameters", "pending", "due"),
    [
        ({"MultiAZ": False}, {"multi_az": False}, set()),
        ({"MultiAZ": False, "ApplyImmediately": True}, {"multi_az": False}, {"multi_az"}),
        ({"NewDBInstanceIdentifier": "New"}, {"identifier": "new"}, set()),
        ({"AllocatedStorage": 21}, {"allocated_storage": 22}, set()),
        ({"AllocatedStorage": 90}, {"allocated_storage": 90}, set()),
        ({"AllocatedStorage": 20, "MultiAZ": True}, {}, set()),  # it is so already
        ({"MasterUserPassword": ANOTHER}, {"password": ANOTHER}, {"password"}),
        ({"BackupRetentionPeriod": 7}, {"backup_retention_days": 7}, set()),
    ],
)
def test_what_becomes_pending(parameters: dict[str, Any], pending: dict[str, Any], due: set[str]) -> None:
    """A change is pending until it is true; without `ApplyImmediately` only a password is due at once."""
    assert _pending(parameters) == (pending, due)


def test_another_number_of_days() -> None:
    """From one number of days of backups to another nothing has to be restarted: that does not wait."""
    kept = replace(RECORD, backup_retention_days=1)
    assert _pending({"BackupRetentionPeriod": 7}, kept) == (
        {"backup_retention_days": 7},
        {"backup_retention_days"},
    )
    assert _pending({"BackupRetentionPeriod": 0}, kept) == ({"backup_retention_days": 0}, set())


def test_what_was_pending_before() -> None:
    """A later request adds to what waits, takes back what it asks to stay, and applied immediately takes all along."""
    waiting = replace(RECORD, pending=PendingChanges(instance_class="db.r6g.xlarge", multi_az=False))
    assert _pending({"AllocatedStorage": 40}, waiting)[0].keys() == {
        "instance_class", "multi_az", "allocated_storage",
    }  # fmt: skip
    assert _pending({"MultiAZ": True}, waiting) == ({"instance_class": "db.r6g.xlarge"}, set())
    assert _pending({"AllocatedStorage": 40, "ApplyImmediately": True}, waiting)[1] == {
        "instance_class", "multi_az", "allocated_storage",
    }  # fmt: skip


def test_what_is_true_at_once() -> None:
    """Flags, the window and the group's name change with the request; the group's values wait for a reboot."""
    asked = {
        "DeletionProtection": True, "PubliclyAccessible": True, "AutoMinorVersionUpgrade": False,
        "PreferredMaintenanceWindow": "Mon:01:00-Mon:02:00", "DBParameterGroupName": "ours",
    }  # fmt: skip
    changed = plan_changes(RECORD, asked)
    assert (changed.deletion_protection, changed.publicly_accessible) == (True, True)
    assert (changed.auto_minor_version_upgrade, changed.maintenance_window) == (False, "mon:01:00-mon:02:00")
    assert (changed.parameter_group, changed.parameter_status) == ("ours", "pending-reboot")
    assert changed.pending == PendingChanges()
    assert plan_changes(changed, {"DBParameterGroupName": "ours"}) == changed


def test_a_password_is_not_shown() -> None:
    """Neither a pending password nor its record's text shows it."""
    changed = plan_changes(RECORD, {"MasterUserPassword": ANOTHER})
    assert ANOTHER not in repr(changed)


@pytest.mark.parametrize(
    ("window", "at", "within"),
    [
        ("sun:05:00-sun:05:30", datetime(2026, 11, 22, 5, 0, tzinfo=UTC), True),
        ("sun:05:00-sun:05:30", datetime(2026, 11, 22, 5, 29, 59, tzinfo=UTC), True),
        ("sun:05:00-sun:05:30", datetime(2026, 11, 22, 5, 30, tzinfo=UTC), False),
        ("sun:05:00-sun:05:30", datetime(2026, 11, 23, 5, 10, tzinfo=UTC), False),
        ("sun:23:30-mon:00:30", datetime(2026, 11, 23, 0, 10, tzinfo=UTC), True),  # over the week's end
        ("sun:23:30-mon:00:30", datetime(2026, 11, 22, 23, 45, tzinfo=UTC), True),
    ],
)
def test_windows(window: str, at: datetime, within: bool) -> None:
    """A window is open from its first minute to before its last, also over the end of the week."""
    assert is_within(window, at) is within


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("sun:05:00", "format"),
        ("sun:25:00-sun:26:00", "format"),
        ("sun:05:00-sun:05:29", "at least 30 minutes"),
        ("sun:05:00-mon:05:00", "less than 24 hours"),
        ("Sun:05:00-Sun:06:00", ""),
    ],
)
def test_wrong_windows(window: str, words: str) -> None:
    """A window is 30 minutes to less than 24 hours of a week, in RDS's way of writing."""
    mistake = find_mistake(window)
    assert words in mistake
    assert bool(mistake) is bool(words)


def test_chosen_windows() -> None:
    """Who chooses no window gets a valid one, always the same."""
    for number in range(200):
        assert find_mistake(choose_window(f"db-{number}")) == ""
    assert choose_window("db-1") == choose_window("db-1")
