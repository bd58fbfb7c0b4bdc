"""What a service is told about its place: environment variables, as its manifest sets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(Exception):
    """Variables that a service needs are missing, or mean nothing."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where a database is. Its password is in a file, or in a secret of its region's Secrets Manager."""

    host: str
    name: str
    user: str
    port: int = 5432
    password_file: str = ""
    secret: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """How a service knows whether its region may write: where copies of that stand, and how long one holds."""

    urls: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a service stands, and where what it needs is. `grace_seconds`: for how long it answers while it ends.

    `lease`: None where one region is all there is, and keeps no lease to write.
    """

    service: str
    port: int
    region: str
    zone: str
    pod: str
    database: DatabaseSettings
    cache_host: str
    cache_port: int
    documents_bucket: str
    users_url: str
    notifications_url: str
    grace_seconds: int
    lease: LeaseSettings | None


# The readiness probe looks every 2 s, and believes the second refusal.
_USUAL_GRACE_SECONDS = 5
_LONGEST_GRACE_SECONDS = 60
_USUAL_LEASE_SECONDS = 10
_SHORTEST_LEASE_SECONDS = 8  # renewed every 7 s when the first of two copies does not answer
_LONGEST_LEASE_SECONDS = 60
_OF_SERVICES = {
    "auth": ("CACHE_HOST",),
    "users": ("CACHE_HOST",),
    "payments": ("CACHE_HOST", "USERS_URL", "NOTIFICATIONS_URL"),
    "documents": ("CACHE_HOST", "DOCUMENTS_BUCKET", "AWS_REGION"),
    "notifications": ("CACHE_HOST",),
}


def read_database(variables: Mapping[str, str]) -> DatabaseSettings:
    """Read where a service's database is; raises `SettingsError` with all that is missing."""
    missing = [
        name for name in ("DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER") if not variables.get(name)
    ]
    if not (variables.get("DATABASE_PASSWORD_FILE") or variables.get("DATABASE_SECRET")):
        missing.append("DATABASE_PASSWORD_FILE or DATABASE_SECRET")
    if missing:
        raise SettingsError(f"not set: {', '.join(missing)}")
    return DatabaseSettings(
        host=variables["DATABASE_HOST"],
        name=variables["DATABASE_NAME"],
        user=variables["DATABASE_USER"],
        port=_read_port(variables, "DATABASE_PORT", 5432),
        password_file=variables.get("DATABASE_PASSWORD_FILE", ""),
        secret=variables.get("DATABASE_SECRET", ""),
        region=variables.get("AWS_REGION", ""),
    )


def read_settings(service: str, variables: Mapping[str, str]) -> Settings:
    """Read what a service is told; raises `SettingsError` with all that is missing."""
    database = read_database(variables)
    missing = [name for name in _OF_SERVICES[service] if not variables.get(name)]
    if missing:
        raise SettingsError(f"not set: {', '.join(missing)}")
    return Settings(
        service=service,
        port=_read_port(variables, "PORT", 8080),
        region=variables.get("AWS_REGION", ""),
        zone=variables.get("SERVICE_ZONE", ""),
        pod=variables.get("HOSTNAME", ""),
        database=database,
        cache_host=variables.get("CACHE_HOST", ""),
        cache_port=_read_port(variables, "CACHE_PORT", 6379),
        documents_bucket=variables.get("DOCUMENTS_BUCKET", ""),
        users_url=variables.get("USERS_URL", ""),
        notifications_url=variables.get("NOTIFICATIONS_URL", ""),
        grace_seconds=_read_seconds(
            variables, "GRACE_SECONDS", _USUAL_GRACE_SECONDS, most=_LONGEST_GRACE_SECONDS
        ),
        lease=_read_lease(variables),
    )


def _read_port(variables: Mapping[str, str], name: str, usual: int) -> int:
    text = variables.get(name, "") or str(usual)
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise SettingsError(f"{name} is `{text}`; a port was expected")
    return int(text)


def _read_lease(variables: Mapping[str, str]) -> LeaseSettings | None:
    urls = tuple(variables.get("WRITER_URLS", "").split())
    if not urls:
        return None
    if not variables.get("AWS_REGION"):
        raise SettingsError("not set, beside WRITER_URLS: AWS_REGION")
    wrong = [url for url in urls if not url.startswith(("https://", "http://"))]
    if wrong:
        raise SettingsError(
            f"WRITER_URLS has `{wrong[0]}`; addresses of HTTP with spaces between them were expected"
        )
    seconds = _read_seconds(
        variables, "WRITER_LEASE_SECONDS", _USUAL_LEASE_SECONDS,
        least=_SHORTEST_LEASE_SECONDS, most=_LONGEST_LEASE_SECONDS,
    )  # fmt: skip
    return LeaseSettings(urls, seconds)


def _read_seconds(variables: Mapping[str, str], name: str, usual: int, *, least: int = 0, most: int) -> int:
    text = variables.get(name, "") or str(usual)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise SettingsError(f"{name} is `{text}`; whole seconds from {least} to {most} were expected")
    return int(text)
