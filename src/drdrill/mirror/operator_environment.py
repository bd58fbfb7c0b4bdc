"""What programs on the operator's host find in their environment: nothing of the machine's own but its programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.dataplane.kubernetes_programs import build_entry
from drdrill.dataplane.postgresql_programs import find_binaries
from drdrill.mirror.access_keys import ACCESS_KEY, SECRET_KEY
from drdrill.mirror.host import program_environment
from drdrill.mirror.terraform import offer_terraform

if TYPE_CHECKING:
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.plan.model import Plan


def describe_operator(
    directory: MirrorDirectory, root: Path, plan: Plan, *, environment: str
) -> dict[str, str]:
    """Return it for a mirror's operators: credentials and places, no endpoint setting."""
    region = plan.regions.primary.name
    programs = [
        str(Path(sys.executable).parent),
        str(find_binaries()),
        str(build_entry() / "bin"),  # which may be built only now
        os.environ.get("PATH", "/usr/bin:/bin"),
    ]
    return program_environment(
        directory.disks / "operator",
        {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_CA_BUNDLE": str(directory.path / "authority.pem"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "PGPASSWORD": (directory.secrets / "database-password").read_text(encoding="ascii"),
            "DRDRILL_CONTROL": str(directory.control),
            "DRDRILL_ENVIRONMENT": environment,
            "DRDRILL_INSTANCE": directory.name,
            "DRDRILL_PLAN": str(root / "scenarios" / "plan.yaml"),
            "PYTHONPATH": str(root),
            "PATH": os.pathsep.join(programs),
            "TERM": os.environ.get("TERM", "dumb"),
            # The host's own, and short: programs such as Terraform's plugins put sockets there, whose names have
            # at most 108 bytes, and a mirror's own folders may lie deep.
            "TMPDIR": "/dev/shm",  # noqa: S108
            **offer_terraform(directory.path / "terraform.rc"),
        },
    )
