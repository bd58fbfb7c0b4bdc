"""What an adopter calls things, and what is derived from it. It must not know what is written with them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from drdrill.core.errors import UsageError

_COMPANY = re.compile(r"[^\W_][\w .&'-]{0,60}")
_SERVICE = re.compile(
    r"[a-z](-?[a-z0-9]){0,39}"
)  # what RDS takes as an identifier, with `-recovery` behind it
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a company, of its most critical service, of its regions, and of its currency (ISO 4217)."""

    company: str
    service: str
    primary_region: str
    recovery_region: str
    currency: str

    def check(self) -> None:
        """Raise `UsageError` for the first name that is none, with what was expected."""
        for option, value, pattern, expected in (
            (
                "--name",
                self.company,
                _COMPANY,
                "letters, digits, spaces and . & ' -, a letter or digit first",
            ),
            (
                "--service",
                self.service,
                _SERVICE,
                "small letters, digits and single hyphens, such as `orders`",
            ),
            ("--primary-region", self.primary_region, _REGION, "an AWS region, such as `us-east-1`"),
            ("--recovery-region", self.recovery_region, _REGION, "an AWS region, such as `us-west-2`"),
            ("--currency", self.currency, _CURRENCY, "three capital letters, such as `USD`"),
        ):
            if not pattern.fullmatch(value):
                raise UsageError(f"{option} `{value}`: expected {expected}.")
        if self.primary_region == self.recovery_region:
            raise UsageError(
                f"--recovery-region `{self.recovery_region}` is the primary region, too; name another one."
            )

    @property
    def slug(self) -> str:
        """The company's name as a label of DNS."""
        return re.sub(r"[^a-z0-9]+", "-", self.company.lower()).strip("-") or "company"

    @property
    def store(self) -> str:
        """The plan's name of the service's database."""
        return f"{self.service}-database"

    @property
    def database(self) -> str:
        """The database's name in PostgreSQL."""
        return self.service.replace("-", "_")
