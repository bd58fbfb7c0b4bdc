"""Build everything below the company's services by its own Terraform, as its pipeline would.

Runs on the operator's host. The password of the databases comes from the environment, never from a file here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOTS = Path(__file__).resolve().parents[2] / "system" / "terraform" / "roots.py"


def main() -> int:
    """Apply all roots in their order; Terraform's own message says what it could not do."""
    return subprocess.run([sys.executable, str(_ROOTS), "apply"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
