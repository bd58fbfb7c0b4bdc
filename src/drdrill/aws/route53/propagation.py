"""Changes on their way to the name servers: PENDING until the DNS server says that its answers use them.

::

    change ──▶ PENDING ──▶ (the DNS server acknowledges) ──▶ INSYNC
                  └── a DNS server that does not answer: PENDING for as long
"""

from __future__ import annotations

import logging
import queue
import secrets
import string
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from drdrill.core.clock import Clock

_WORD = string.ascii_uppercase + string.digits
_LENGTH = 20
_log = logging.getLogger(__name__)


def draw_identifier(kind: str) -> str:
    """Return a new id, which begins with a letter for its kind."""
    return kind + "".join(secrets.choice(_WORD) for _ in range(_LENGTH))


class Worker:
    """Does one thing after the other in a thread of its own, which begins with the first."""

    def __init__(self) -> None:
        self._todo: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running = False

    def __call__(self, work: Callable[[], None]) -> None:
        """Do this after all that was given before."""
        self._todo.put(work)
        with self._lock:
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="route53-propagation", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._todo.get()()
            except DrdrillError as error:
                _log.warning("the name servers were not told: %s", error)
            except Exception:  # noqa: BLE001  (whatever it was: all that comes later has to be told)
                _log.exception("the name servers were not told")


@dataclass(frozen=True, slots=True)
class ChangeInfo:
    """A change, as GetChange tells of it."""

    identifier: str
    submitted: datetime
    in_sync: bool = False
    comment: str = ""

    def describe(self) -> Mapping[str, Any]:
        """Return it as answers have it."""
        said = {
            "Id": f"/change/{self.identifier}",
            "Status": "INSYNC" if self.in_sync else "PENDING",
            "SubmittedAt": self.submitted,
        }
        return said | ({"Comment": self.comment} if self.comment else {})


class Propagation:
    """All changes, and their way to the name servers. Thread-safe. `later`: does things in their order."""

    def __init__(self, clock: Clock, later: Callable[[Callable[[], None]], None]) -> None:
        self._clock = clock
        self._later = later
        self._lock = threading.Lock()
        self._changes: dict[str, ChangeInfo] = {}

    def begin(self, tell: Callable[[], None], *, comment: str = "") -> Mapping[str, Any]:
        """Have the name servers told, and return the change as it is now."""
        change = ChangeInfo(draw_identifier("C"), self._clock.utc(), comment=comment)
        with self._lock:
            self._changes[change.identifier] = change
        self._later(lambda: self._tell(change, tell))
        return change.describe()

    def find(self, identifier: str) -> Mapping[str, Any]:
        """Return a change as it is now; raises AWS's `NoSuchChange`."""
        identifier = identifier.rpartition("/")[2]
        with self._lock:
            change = self._changes.get(identifier)
        if change is None:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {identifier}", status=404)
        return change.describe()

    def is_settled(self) -> bool:
        """Tell whether every change is in sync."""
        with self._lock:
            return all(change.in_sync for change in self._changes.values())

    def _tell(self, change: ChangeInfo, tell: Callable[[], None]) -> None:
        try:
            tell()
        except DrdrillError as error:
            _log.warning("the change %s stays PENDING: %s", change.identifier, error)
            return
        with self._lock:
            self._changes[change.identifier] = replace(change, in_sync=True)
