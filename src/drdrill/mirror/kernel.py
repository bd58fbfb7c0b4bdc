"""System calls that Python 3.11 has no words for: namespaces, mounts and process control. Linux only.

Constants are those of the kernel's `sched.h`, `mount.h` and `prctl.h`. Each call raises OSError with the kernel's word.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import socket
import struct

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x4_0000
_KEPT_FLAGS = (
    MS_NOSUID | MS_NODEV | MS_NOEXEC
)  # a user namespace may not clear them; statvfs has the same bits
_MNT_DETACH = 0x2

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38

_PIVOT_ROOT = {
    "x86_64": 155,
    "ppc64le": 203,
    "s390x": 217,
}  # every younger architecture has the generic number
_PIVOT_ROOT_GENERIC = 41

_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_IFREQ = "16sH14x"  # struct ifreq: name, flags

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (
    ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p,
)  # fmt: skip


def unshare(flags: int) -> None:
    """Put this process (its children, for the PID namespace) into new namespaces."""
    _check(_libc.unshare(flags), "unshare")


def enter_namespace(descriptor: int, kind: int) -> None:
    """Put this process (its children, for the PID namespace) into the namespace that the descriptor names."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, bind or remount; the parameters are those of the system call."""
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode() or None, flags, options.encode() or None
    )
    _check(result, target)


def make_read_only(target: str) -> None:
    """Make one bind mount read-only, and leave what else is forbidden on it forbidden."""
    kept = os.statvfs(target).f_flag & _KEPT_FLAGS
    mount("none", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def detach_mount(target: str) -> None:
    """Unmount at once for whoever looks, and in truth when nobody uses it any more."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH), target)


def pivot_root_here() -> None:
    """Make the working directory, a mount point, the root; the old root lies on top of it until it is detached."""
    number = _PIVOT_ROOT.get(platform.machine(), _PIVOT_ROOT_GENERIC)
    _check(_libc.syscall(number, b".", b"."), "pivot_root")


def die_with_parent(number: int) -> None:
    """Have the kernel send this process a signal when its parent ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")


def forbid_new_privileges() -> None:
    """Let no program that this process runs gain privileges by set-user-id or file capabilities."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def drop_from_bounding_set(capability: int) -> None:
    """Let no program that this process runs have this capability; unknown numbers are no loss."""
    _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def name_process(name: str) -> None:
    """Give this process the name that `ps` shows."""
    _check(_libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0), "prctl")


def raise_loopback() -> None:
    """Bring the loopback device of this network namespace up."""
    with open_network_socket() as device:
        set_link(device, "lo", up=True)


def open_network_socket() -> socket.socket:
    """Open a socket by which links of this network namespace can be set, wherever its holder goes."""
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def set_link(through: socket.socket, device: str, *, up: bool) -> None:
    """Set a link of a socket's network namespace up or down."""
    answer = fcntl.ioctl(through, _SIOCGIFFLAGS, struct.pack(_IFREQ, device.encode(), 0))
    _, flags = struct.unpack(_IFREQ, answer)
    flags = flags | _IFF_UP if up else flags & ~_IFF_UP
    fcntl.ioctl(through, _SIOCSIFFLAGS, struct.pack(_IFREQ, device.encode(), flags))


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
