"""PostgreSQL's parameters: which there are, which take a restart, and whether it takes a value, as its program says.

The program is asked, not a list of ours, so that a group never holds what no server would start with.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.dataplane.postgresql_programs import find_binaries

if TYPE_CHECKING:
    from collections.abc import Mapping

_WITHIN_SECONDS = 30  # measured 0.01
_STATIC = "postmaster"  # the context of what is read at a start only
_SAID = re.compile(r"(?:FATAL|HINT): +(.*)")


class Owner(StrEnum):
    """Who may set a parameter: its users; nobody in RDS, where the service does; in the mirror its own machinery."""

    USER = "user"
    SERVICE = "service"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What PostgreSQL knows of a parameter; `lowest` and `highest` only of numbers."""

    name: str
    static: bool
    kind: str  # BOOLEAN, INTEGER, REAL, STRING, ENUM
    lowest: str
    highest: str
    description: str

    @property
    def owner(self) -> Owner:
        """Who may set it."""
        if self.name in _OF_THE_SERVICE:
            return Owner.SERVICE
        return Owner.MIRROR if self.name in _OF_THE_MIRROR else Owner.USER


# RDS User Guide, "Parameters on Amazon RDS for PostgreSQL": not modifiable.
_OF_THE_SERVICE = frozenset({
    "archive_cleanup_command", "archive_command", "archive_library", "archive_mode",
    "bonjour", "bonjour_name", "data_directory", "data_sync_retry",
    "event_source", "external_pid_file", "fsync", "full_page_writes", "hba_file", "hot_standby", "ident_file",
    "krb_server_keyfile", "listen_addresses", "log_directory", "log_file_mode",
    "logging_collector", "log_line_prefix", "log_timezone", "log_truncate_on_rotation", "port", "primary_conninfo",
    "primary_slot_name", "recovery_end_command", "recovery_init_sync_method",
    "recovery_prefetch", "recovery_target", "recovery_target_action", "recovery_target_inclusive",
    "recovery_target_lsn", "recovery_target_name", "recovery_target_time", "recovery_target_timeline",
    "recovery_target_xid", "restart_after_crash", "restore_command", "ssl_ca_file", "ssl_cert_file",
    "ssl_crl_dir", "ssl_crl_file", "ssl_key_file", "ssl_passphrase_command",
    "ssl_passphrase_command_supports_reload", "summarize_wal", "synchronous_standby_names", "syslog_facility",
    "syslog_ident", "syslog_sequence_numbers", "syslog_split_messages", "sync_replication_slots",
    "unix_socket_directories", "unix_socket_group", "unix_socket_permissions", "update_process_title",
    "wal_level", "wal_recycle", "wal_init_zero", "wal_sync_method",
})  # fmt: skip
# RDS lets its users set these. In the mirror they hold its replication, its access rules and its clocks together.
_OF_THE_MIRROR = frozenset({
    "dynamic_library_path", "extension_control_path", "jit_provider", "local_preload_libraries", "log_destination",
    "max_wal_senders", "max_wal_size", "recovery_min_apply_delay", "scram_iterations", "session_preload_libraries",
    "shared_preload_libraries", "ssl", "tcp_user_timeout", "wal_keep_size",
    "wal_receiver_status_interval", "wal_receiver_timeout", "wal_retrieve_retry_interval", "wal_sender_timeout",
})  # fmt: skip


@cache
def read_parameters() -> Mapping[str, Parameter]:
    """Return all parameters of the server's program that a configuration may hold, by name."""
    said = subprocess.run(
        [str(find_binaries() / "postgres"), "--describe-config"],
        check=True, capture_output=True, text=True, timeout=_WITHIN_SECONDS,
    )  # fmt: skip
    found = {}
    for line in said.stdout.splitlines():
        name, context, _, kind, _, lowest, highest, description, *_ = line.split("\t")
        found[name.lower()] = Parameter(name.lower(), context == _STATIC, kind, lowest, highest, description)
    return found


def find_refusal(values: Mapping[str, str]) -> str:
    """Return what PostgreSQL says against values of known parameters; `` when it would take them all."""
    if not values:
        return ""
    with tempfile.TemporaryDirectory() as empty:
        (Path(empty) / "postgresql.conf").touch()
        # `-C` prints a setting and ends, after it has taken all options; it also runs under uid 0.
        command = [str(find_binaries() / "postgres"), "-C", "port", "-D", empty]
        for name, value in values.items():
            command += ["-c", f"{name}={value}"]
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_WITHIN_SECONDS)
    if said.returncode == 0:
        return ""
    return " ".join(_SAID.findall(said.stderr)) or said.stderr.strip()
