"""Chromium without a window, asked over the DevTools protocol on a pair of pipes: no port, no library."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# The browser reads from descriptor 3 and writes to 4; the pipes may have any number, also these two.
_ON_PIPES = """
import fcntl, os, sys
theirs = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(theirs[0], 3)
os.dup2(theirs[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_LOCAL = ("data:", "blob:", "file:", "about:", "chrome:")


class Browser:
    """One page of one browser; remembers every request that leaves the file, and every complaint of the console."""

    def __init__(self, *, width: int = 1440, height: int = 900) -> None:
        self._size = (width, height)
        self._stack = contextlib.ExitStack()
        self._number = 0
        self._buffer = b""
        self._session = ""
        self._loaded = False
        self.outside: list[str] = []
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        assert CHROMIUM is not None
        profile = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        )
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        self._stack.callback(os.close, self._to)
        self._stack.callback(os.close, self._from)

        command = [
            sys.executable, "-c", _ON_PIPES, str(theirs_in), str(theirs_out),
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
        ]  # fmt: skip
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._stack.callback(self._end, process)
        target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Audits"):
            self.call(f"{domain}.enable")
        self.resize(*self._size)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def resize(self, width: int, height: int) -> None:
        """Show the page in a window of this size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, url: str) -> None:
        """Load a page and wait until it has loaded."""
        self._loaded = False
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._read()

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression in the page; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition: str, *, within_seconds: float = 30.0) -> None:
        """Wait in the page until a condition holds there: at most as long as a loaded machine may take."""
        self.evaluate(f"""new Promise((resolve, reject) => {{
            const deadline = performance.now() + {within_seconds * 1000};
            const look = () => ({condition}) ? resolve(true)
                : performance.now() > deadline ? reject(new Error("never: " + {json.dumps(condition)}))
                : setTimeout(look, 50);
            look();
        }})""")

    def photograph(self, path: Path) -> None:
        """Store what the window shows."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._from, 1 << 20)
            assert read, "the browser went away"
            self._buffer += read
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, data: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent" and not data["request"]["url"].startswith(_LOCAL):
            self.outside.append(data["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(data["exceptionDetails"])[:2000])
        elif method == "Runtime.consoleAPICalled" and data["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(data["args"])[:2000])
        elif method == "Log.entryAdded" and data["entry"]["level"] in ("error", "warning"):
            self.complaints.append(json.dumps(data["entry"])[:2000])
        elif method == "Audits.issueAdded" and data["issue"]["code"] == "ContentSecurityPolicyIssue":
            self.complaints.append(json.dumps(data["issue"])[:2000])

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Ask the browser to go, so that its own children go first and none writes to the profile any more."""
        self._number += 1
        with contextlib.suppress(OSError):
            os.write(self._to, json.dumps({"id": self._number, "method": "Browser.close"}).encode() + b"\0")
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
