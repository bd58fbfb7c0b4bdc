"""What one client process is told: a JSON file that the drill writes and the process reads. No secrets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from drdrill.core.errors import DamagedRecordError
from drdrill.record.ledger import Client, ClientKind


class Connecting(StrEnum):
    """How a client comes by a connection for a request."""

    FRESH = "fresh"  # a new one for every request; connecting is part of the request
    POOLED = "pooled"  # one of a few that stay open


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """One process and the clients that live in it. The password comes from the environment: PGPASSWORD.

    `endpoint` is a name, or a literal IPv4 address that needs no resolver. `connections` is the size of each
    client's pool; `in_flight` how many requests of one client may be unanswered before more are not sent.
    """

    name: str
    clients: tuple[Client, ...]
    ledger: Path
    endpoint: str
    port: int
    database: str
    user: str
    statement: str
    amount_minimum: int
    amount_maximum: int
    seed: int
    resolver: str
    resolver_port: int
    cohorts: int
    connecting: Connecting
    connections: int
    in_flight: int

    def to_json(self) -> str:
        """Return the text of the file."""
        fields = {**asdict(self), "ledger": str(self.ledger)}
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ClientConfig:
        """Read the text of the file; raises `DamagedRecordError` when it is not one."""
        try:
            fields = json.loads(text)
            clients = tuple(
                Client(**{**client, "kind": ClientKind(client["kind"])}) for client in fields["clients"]
            )
            return cls(
                **{
                    **fields,
                    "clients": clients,
                    "ledger": Path(fields["ledger"]),
                    "connecting": Connecting(fields["connecting"]),
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            raise DamagedRecordError(
                f"This is not the configuration of a client process: {error}."
            ) from error
