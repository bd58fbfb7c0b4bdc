"""Gates that are answered on a page of this machine, under an address that nobody can guess.

It listens on the loopback device alone; whoever has the address may answer, so it is told to the operator and to nobody
else, and is not journalled. The page loads nothing from outside and runs no script.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs

from drdrill.plan.runbook import Work
from drdrill.runbook.port import Answer

if TYPE_CHECKING:
    from types import TracebackType

    from drdrill.plan.runbook import Gate
    from drdrill.runbook.port import Asked, Operator, Running

_HOST = "127.0.0.1"
_LARGEST_FORM = 1 << 16
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "Cache-Control": "no-store",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gates of the runbook</title><style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328 }}
section {{ border: 1px solid #d0d7de; border-radius: .5rem; padding: 1rem 1.25rem; margin: 1.5rem 0 }}
h2 {{ font-size: 1.1rem; margin: 0 }} pre {{ background: #f6f8fa; padding: .75rem; overflow-x: auto }}
label {{ display: block; margin: .75rem 0 }}
input:not([type=hidden]) {{ font: inherit; width: 100%; box-sizing: border-box; padding: .4rem }}
button {{ font: inherit; padding: .5rem 1.25rem; margin: .25rem .5rem .25rem 0; cursor: pointer }}
.problem {{ color: #b3261e }}
</style></head><body><h1>Gates of the runbook</h1>{problem}{questions}</body></html>
"""
_QUESTION = """<section><h2>{step}, for {role}</h2>{said}<p>{question}</p>
<form method="post" action="{action}"><input type="hidden" name="step" value="{step}">
<label>Your name <input name="who" required autocomplete="name"></label>
<label>Why <input name="why" required></label>
<button name="answer" value="yes">Yes, go on</button><button name="answer" value="no">No, stop</button></form></section>
"""
_NONE = "<p>No gate waits for an answer now. Load this page again when the runbook says that one does.</p>"


class PageGates:
    """Asks on a page. A context manager: the page is there from its start to its end."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._token = secrets.token_urlsafe(24)
        self._open: dict[str, _PageQuestion] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((_HOST, 0), self._make_handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="gates", daemon=True)

    @property
    def url(self) -> str:
        """Return the page's address: the key to all gates."""
        return f"http://{_HOST}:{self._server.server_port}/{self._token}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def ask(self, step: str, gate: Gate) -> Asked:
        """Put a question on the page."""
        probe = self._operator.look(step, Work(command=gate.shows)) if gate.shows else None
        question = _PageQuestion(self, step, gate, probe)
        with self._lock:
            self._open[step] = question
        return question

    def leave(self, question: _PageQuestion) -> None:
        """Take a question from the page."""
        with self._lock:
            if self._open.get(question.step) is question:
                del self._open[question.step]

    def may_see(self, path: str) -> bool:
        """Say whether a request knows the address."""
        return hmac.compare_digest(path.strip("/").encode(), self._token.encode())

    def render(self, problem: str = "") -> str:
        """Return the page as it is now."""
        with self._lock:
            questions = [one.render(f"/{self._token}") for one in self._open.values()]
        told = f'<p class="problem">{escape(problem)}</p>' if problem else ""
        return _PAGE.format(problem=told, questions="".join(questions) or _NONE)

    def take(self, form: dict[str, list[str]]) -> str:
        """Take an answer; return what is wrong with it, `` if nothing is."""
        step = form.get("step", [""])[0]
        said = {name: form.get(name, [""])[0].strip() for name in ("answer", "who", "why")}
        with self._lock:
            question = self._open.get(step)
            if question is None:
                return "That gate does not wait for an answer any more."
            if said["answer"] not in ("yes", "no") or not said["who"] or not said["why"]:
                return "An answer needs a name, a reason, and yes or no."
            question.answer = Answer(said["answer"] == "yes", said["who"], said["why"], question.said)
            del self._open[step]
        return ""

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        gates = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if gates.may_see(self.path):
                    self._answer(HTTPStatus.OK, gates.render())
                else:
                    self._answer(HTTPStatus.NOT_FOUND, "There is nothing here.\n")

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not gates.may_see(self.path):
                    self._answer(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
                elif not length.isdecimal() or int(length) > _LARGEST_FORM:
                    self._answer(HTTPStatus.BAD_REQUEST, gates.render("That was no answer to a gate."))
                else:
                    form = parse_qs(self.rfile.read(int(length)).decode("utf-8", "replace"))
                    problem = gates.take(form)
                    self._answer(HTTPStatus.CONFLICT if problem else HTTPStatus.OK, gates.render(problem))

            def _answer(self, status: HTTPStatus, text: str) -> None:
                content = text.encode()
                self.send_response(status)
                for name, value in {**_HEADERS, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Log nothing: the address is the key."""

        return Handler


class _PageQuestion:
    def __init__(self, gates: PageGates, step: str, gate: Gate, probe: Running | None) -> None:
        self._gates, self.step, self._gate, self._probe = gates, step, gate, probe
        self.said = (
            f"`{gate.shows[0]}` is being asked; load this page again to see more." if gate.shows else ""
        )
        self.answer: Answer | None = None

    def read_answer(self) -> Answer | None:
        ended = self._probe.read_end() if self._probe is not None else None
        if ended is not None:
            self._probe = None
            failed = f"\n(it ended with status {ended.status})" if ended.status else ""
            self.said = f"{ended.said}{failed}"
        return self.answer

    def withdraw(self) -> None:
        if self._probe is not None:
            self._probe.stop(at_once=True)
        self._gates.leave(self)

    def render(self, action: str) -> str:
        """Return its part of the page."""
        return _QUESTION.format(
            step=escape(self.step), role=escape(self._gate.role), question=escape(self._gate.question),
            said=f"<pre>{escape(self.said)}</pre>" if self.said else "", action=escape(action),
        )  # fmt: skip
