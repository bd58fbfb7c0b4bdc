"""Which replica works: the one that holds the lease, as Kubernetes' own leader election has it.

Periods are those of its library, which the original uses: a lease is good for 15 s after it was last renewed, and it is
renewed every 2 s. A replica that is lost is so replaced after 15 to 17 s.
"""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.core.clock import NANOSECONDS
from drdrill.mirror.load_balancer_controller.cluster_api import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.core.clock import Clock

RENEW_SECONDS = 2.0
_GOOD_SECONDS = 15
_GIVE_UP_NS = 10 * NANOSECONDS  # who could not renew for so long works no more: before another one begins
_GOOD_NS = _GOOD_SECONDS * NANOSECONDS
_FOLDER = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
_log = logging.getLogger(__name__)


class Leases(Protocol):
    """The part of a cluster's API that keeps leases."""

    def ask(self, method: str, path: str, content: Mapping[str, Any] | None = None, /) -> dict[str, Any]:
        """Return what is answered."""
        ...


class Lease:
    """Renewed in a thread of its own, so that slow work loses no lease. `holder` is this replica's name."""

    def __init__(self, api: Leases, name: str, holder: str, clock: Clock) -> None:
        self._api = api
        self._name = name
        self._holder = holder
        self._clock = clock
        self._renewed_ns: int | None = None
        self._seen: tuple[str, str] = ("", "")
        self._seen_ns = 0

    def start(self) -> None:
        """Ask for it now, and go on renewing it."""
        self.renew()
        threading.Thread(target=self._keep, name="lease", daemon=True).start()

    def _keep(self) -> None:
        while True:
            self._clock.sleep(RENEW_SECONDS)
            self.renew()

    def hold(self) -> bool:
        """Say whether this replica is the one that works."""
        renewed_ns = self._renewed_ns
        return renewed_ns is not None and self._clock.now_ns() - renewed_ns < _GIVE_UP_NS

    def renew(self) -> None:
        """Take the lease, or renew it, as far as it is nobody else's."""
        now_ns = self._clock.now_ns()
        try:
            self._renewed_ns = now_ns if self._try(now_ns) else None
        except ApiError as error:
            _log.warning("%s", error)

    def _try(self, now_ns: int) -> bool:
        try:
            lease = self._api.ask("GET", f"{_FOLDER}/{self._name}")
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return self._write("POST", _FOLDER, {"name": self._name, "namespace": "kube-system"})
        held = lease.get("spec", {})
        seen = (held.get("holderIdentity", ""), held.get("renewTime", ""))
        if seen != self._seen:  # by this machine's clock alone: others' may be wrong
            self._seen, self._seen_ns = seen, now_ns
        if seen[0] not in ("", self._holder) and now_ns - self._seen_ns < _GOOD_NS:
            return False
        return self._write("PUT", f"{_FOLDER}/{self._name}", lease["metadata"])

    def _write(self, method: str, path: str, metadata: Mapping[str, Any]) -> bool:
        """Take the lease; false where somebody else was faster."""
        content = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": self._holder,
                "leaseDurationSeconds": _GOOD_SECONDS,
                "renewTime": self._clock.utc().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }
        try:
            self._api.ask(method, path, content)
        except ApiError as error:
            if error.status == HTTPStatus.CONFLICT:
                return False
            raise
        return True
