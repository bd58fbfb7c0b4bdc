"""The program on the machine that deploys: `python -m drdrill.mirror.delivery ADDRESS PORT FOLDER CONFIG KUBECTL`."""

from __future__ import annotations

import sys
from pathlib import Path

from drdrill.core.clock import SystemClock
from drdrill.mirror.delivery.deployment import Deployer
from drdrill.mirror.delivery.server import HookServer


def main() -> None:
    """Serve until the machine loses its power."""
    address, port, folder, kubeconfig, kubectl = sys.argv[1:]
    deployer = Deployer(Path(folder), Path(kubeconfig), [kubectl], SystemClock())
    HookServer((address, int(port)), deployer).serve_forever()


if __name__ == "__main__":
    main()
