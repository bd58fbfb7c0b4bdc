"""Terminals of containers: made in the container's own `/dev/pts`, so that its programs find their name there."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios

_TIOCGPTN = 0x8004_5430
_TIOCSPTLCK = 0x4004_5431
_ATTACHED = b"terminal"


def open_terminal(channel: socket.socket, size: tuple[int, int] = (0, 0)) -> int:
    """Make a terminal of so many rows and columns, send its controlling end, and return the end for programs."""
    own = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(own, _TIOCSPTLCK, struct.pack("i", 0))
    (number,) = struct.unpack("I", fcntl.ioctl(own, _TIOCGPTN, struct.pack("I", 0)))
    theirs = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    resize(own, size)
    socket.send_fds(channel, [_ATTACHED], [own])
    os.close(own)
    return theirs


def take_controlling_terminal() -> None:
    """Make standard input the terminal of this session, whose leader this process is."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def copy_size(source: int, target: int) -> None:
    """Give one terminal the size of another."""
    resize(target, read_size(source))


def read_size(terminal: int) -> tuple[int, int]:
    """Return rows and columns."""
    rows, columns, _, _ = struct.unpack("4H", fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))
    return rows, columns


def resize(terminal: int, size: tuple[int, int]) -> None:
    """Set rows and columns; its programs are told by the kernel (SIGWINCH)."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", *size, 0, 0))
