"""Runs a program for which giving a file to another user or group succeeds, and leaves the file whose it is.

Run by path with `python -I -S`, so it imports nothing of drdrill. Arguments: the program and its own.

A world has one user of the machine and no other. A kubelet gives the token of every pod with a `runAsUser` to that
user, and every volume of one with an `fsGroup` to that group: refused (EINVAL), such a pod would never start. In the
mirror all users of containers are that one user under other numbers, so whoever was to get the file can use it anyway.
The kernel itself answers in place of the calls (seccomp); where it cannot, the program runs without that, and says so.
"""

import ctypes
import os
import platform
import struct
import sys

# From the kernel's `seccomp.h`, `audit.h`, `bpf_common.h` and the tables of its system calls.
_ALLOW, _ANSWER_ZERO = 0x7FFF_0000, 0x0005_0000
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_PR_SET_SECCOMP, _FILTER_MODE = 22, 2
_CALLS = {  # chown, fchown, lchown, fchownat; the younger architectures have the second and the last only
    "x86_64": (0xC000_003E, (92, 93, 94, 260)),
    "aarch64": (0xC000_00B7, (55, 54)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def main() -> None:
    """Have the calls answered, and become the program."""
    try:
        _answer_ownership_calls()
    except (KeyError, OSError) as error:
        sys.stderr.write(f"files cannot be given to others here, not even for show: {error}\n")
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  (that is what this is for)


def _answer_ownership_calls() -> None:
    architecture, calls = _CALLS[platform.machine()]
    count = len(calls)
    instructions = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 0, count + 1, architecture),
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        *((_JUMP_IF_EQUAL, count - index, 0, call) for index, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ANSWER_ZERO),
    ]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    program = _Program(len(instructions), code)
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
