"""The nursery of keepers: a process that forks one for each pod, so that a pod costs 2 ms and shares its pages.

`python -m drdrill.mirror.kubernetes.runtime.pod.nursery` reads one JSON line a pod (`PodSetting`) and answers with one:
the process that the keeper is, or why there is none. Keepers are their own: they live on when it ends.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from drdrill.core.process import ProcessId
from drdrill.mirror import kernel
from drdrill.mirror.kubernetes.runtime.pod.keeper import Keeper
from drdrill.mirror.kubernetes.runtime.pod.launch import PodSetting


def _become_keeper(setting: PodSetting, answer: int) -> NoReturn:
    """Set the pod's namespaces up, say so, and keep it."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is ignored here would be ignored in every container
    kernel.name_process("pod-keeper")
    spaces = kernel.CLONE_NEWUTS
    spaces |= kernel.CLONE_NEWNET if setting.own_network else 0
    spaces |= kernel.CLONE_NEWIPC if setting.own_ipc else 0
    kernel.unshare(spaces)
    socket.sethostname(setting.hostname)
    if setting.own_network:
        kernel.raise_loopback()
    for name, value in setting.sysctls.items():
        Path("/proc/sys", *name.split(".")).write_text(value, encoding="ascii")
    keeper = Keeper(setting)
    identity = ProcessId.read_own()
    os.write(answer, json.dumps({"process": identity.to_json() if identity else None}).encode() + b"\n")
    os.close(answer)
    keeper.run()


def main() -> None:
    """Fork a keeper for each line of standard input, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers end when their pods do; the kernel reaps them
    answer = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    for line in sys.stdin:
        fields = json.loads(line)
        if os.fork() == 0:
            os.dup2(nothing, 0)
            try:
                _become_keeper(PodSetting(**fields), answer)
            except BaseException as error:  # noqa: BLE001  (a forked child must not return into this loop)
                words = f"{type(error).__name__}: {error}"
                os.write(answer, json.dumps({"error": words}).encode() + b"\n")
                os._exit(1)


if __name__ == "__main__":
    main()
