"""The command by which an operator asks a database something; its password comes from the operator's environment."""

from __future__ import annotations

from drdrill.dataplane.postgresql_programs import PORT


def psql(host: str, database: str, user: str, statement: str) -> list[str]:
    """Return the command; it prints rows alone, and ends with the first error."""
    return [
        "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
        "--host", host, "--port", str(PORT), "--username", user, "--dbname", database, "--command", statement,
    ]  # fmt: skip
