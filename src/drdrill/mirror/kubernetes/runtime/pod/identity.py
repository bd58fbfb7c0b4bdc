"""As whom a container's program runs: its user, its groups and what it may do.

One uid of the machine is all that a world has. A user other than 0 is therefore that same uid under another name, in a
user namespace of its own: it has no capability over the container's mounts or network, and sees the node's files as
its own. Supplementary groups cannot be had.
"""

from __future__ import annotations

import signal

from drdrill.mirror import kernel

# Numbers from the kernel's capability.h.
_NAMES = """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
    NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
    SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
    MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
CAPABILITIES = {name: number for number, name in enumerate(_NAMES.split())}
# What containerd gives a container that asks for nothing.
DEFAULT_CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
    "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
)  # fmt: skip


def choose_capabilities(added: list[str], dropped: list[str]) -> list[int]:
    """Return the capabilities of a container that asks for these, as numbers; raises ValueError for an unknown one."""
    names = set() if "ALL" in dropped else set(DEFAULT_CAPABILITIES)
    if "ALL" in added:
        names = set(CAPABILITIES)
    names |= {_bare(name) for name in added if name != "ALL"}
    names -= {_bare(name) for name in dropped if name != "ALL"}
    return sorted(CAPABILITIES[name] for name in names)


def _bare(name: str) -> str:
    bare = name.upper().removeprefix("CAP_")
    if bare not in CAPABILITIES:
        raise ValueError(f"there is no capability `{name}`.")
    return bare


def take_identity(user: int, group: int, kept: list[int] | None, *, forbid_new_privileges: bool) -> None:
    """Become the user with no more than the kept capabilities (None: all of them) from the next program on."""
    if kept is not None:
        for number in CAPABILITIES.values():
            if number not in kept:
                kernel.drop_from_bounding_set(number)
    if (user, group) != (0, 0):
        kernel.unshare(kernel.CLONE_NEWUSER)
        for file, line in (("setgroups", "deny"), ("uid_map", f"{user} 0 1"), ("gid_map", f"{group} 0 1")):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as table:  # noqa: PTH123
                table.write(line)
    if forbid_new_privileges:
        kernel.forbid_new_privileges()
    # Last: a change of credentials clears it.
    kernel.die_with_parent(signal.SIGKILL)
