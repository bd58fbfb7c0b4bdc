"""Terminals and attached streams, through the program that the streaming server runs for `kubectl exec`."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.kubernetes.runtime.pod import terminal
from drdrill.mirror.kubernetes.runtime.records import Records
from drdrill.mirror.kubernetes.runtime.streams import name_entry
from tests.mirror.kubernetes.node import EVERY, WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mirror.kubernetes.node import Node

_ALL = {"stdin": True, "stdout": True, "stderr": True}


def _entry(node: Node, verb: str, container: str, *command: str, has_terminal: bool = False) -> list[str]:
    records = Records(node.state)
    found = records.containers[container]
    streams = {**_ALL, "stderr": not has_terminal}
    entry = name_entry(verb, records.pods[found.pod], found, terminal=has_terminal, streams=streams)
    return [*node.enter(), *entry, *command]


class _Screen:
    """A terminal with a program on it, as a person sees it."""

    def __init__(self, command: list[str]) -> None:
        self.own, theirs = os.openpty()
        terminal.resize(self.own, (33, 77))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        os.set_blocking(self.own, False)
        self.seen = ""

    def await_text(self, text: str) -> None:
        """Read until a text has been seen."""

        def look() -> bool:
            with contextlib.suppress(OSError):
                self.seen += os.read(self.own, 4096).decode()
            return text in self.seen

        wait_until(look, what=f"`{text}` on the screen", within=WITHIN, every=EVERY)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self.own, f"{text}\n".encode())

    def close(self) -> int:
        """Wait for the program's end and return its exit code."""
        code = self.process.wait(WITHIN.total_seconds())
        os.close(self.own)
        return code


@pytest.fixture
def screens() -> Iterator[list[_Screen]]:
    """Return a list of screens whose programs are killed at the end, if they have not ended."""
    made: list[_Screen] = []
    yield made
    for screen in made:
        if screen.process.poll() is None:
            screen.process.kill()
            screen.process.wait()


def test_a_command_with_a_terminal_has_its_own_in_the_container(node: Node, screens: list[_Screen]) -> None:
    """It knows the terminal's name, size and changes of it; interrupts reach it; its exit code is passed on."""
    container = node.start(node.run_pod("terminal"), "/bin/sleep", "1000")
    screen = _Screen(_entry(node, "execute", container, "/bin/sh", has_terminal=True))
    screens.append(screen)
    screen.type("tty; stty size; PS1=; echo read''y")
    screen.await_text("ready")
    assert "/dev/pts/0" in screen.seen
    assert "33 77" in screen.seen
    assert "job control turned off" not in screen.seen
    terminal.resize(screen.own, (20, 40))
    screen.type("sleep 0.2; stty size; sleep 1000; echo interr''upted")
    screen.await_text("20 40")
    os.write(screen.own, b"\x03")
    screen.type("echo go''es on; exit 9")
    screen.await_text("goes on")
    assert screen.close() == 9


def test_who_is_attached_to_a_container_with_a_terminal_types_into_it(
    node: Node, screens: list[_Screen]
) -> None:
    """A container with a terminal shows its name; what is typed reaches it, and its end is the end of attaching."""
    pod = node.run_pod("attached")
    script = "while read line; do echo got $line; tty; stty size; [ $line = end ] && exit 4; done"
    container = node.start(pod, "/bin/sh", "-c", script, stdin=True, tty=True)
    screen = _Screen(_entry(node, "attach", container, has_terminal=True))
    screens.append(screen)
    screen.type("one")
    screen.await_text("33 77")
    assert "got one" in screen.seen
    assert "/dev/pts/0" in screen.seen
    screen.type("end")
    assert screen.close() == 4
    assert any("got one" in line[3] for line in node.log_lines(container))


def test_streams_without_a_terminal_are_told_apart(node: Node) -> None:
    """Input, output and errors pass as they are; attaching gives the container's own, and ends its input once."""
    pod = node.run_pod("piped")
    sleeper = node.start(pod, "/bin/sleep", "1000")
    command = ["/bin/sh", "-c", "cat; echo wrong >&2; exit 7"]
    done = subprocess.run(
        _entry(node, "execute", sleeper, *command),
        input=b"a\x00b",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"a\x00b", b"wrong\n", 7)

    reader = node.start(
        pod, "/bin/sh", "-c", "cat; echo wrong >&2", name="reader", stdin=True, stdin_once=True
    )
    done = subprocess.run(
        _entry(node, "attach", reader), input=b"said\n", capture_output=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"said\n", b"wrong\n", 0)
    done = subprocess.run(
        _entry(node, "attach", reader), input=b"", capture_output=True, check=False, timeout=60
    )
    assert b"has ended" in done.stderr


def test_a_command_ends_with_who_asked_for_it(node: Node) -> None:
    """When the streaming server kills the program that it runs, the command in the container is killed."""
    sleeper = node.start(node.run_pod("left"), "/bin/sleep", "1000")
    asked = subprocess.Popen(_entry(node, "execute", sleeper, "/bin/sleep", "3579"), stdin=subprocess.DEVNULL)
    wait_until(lambda: node.find_processes("sleep\0003579"), what="the command", within=WITHIN, every=EVERY)
    for pid in node.find_processes("pod.entry"):
        os.kill(pid, 9)
    asked.wait()
    wait_until(lambda: not node.find_processes("sleep\0003579"), what="its end", within=WITHIN, every=EVERY)
