"""STS in one region: who the caller is. In the mirror everybody is the one user of the one account.

Signatures are not verified: there is nobody else to be, but for who was given a role, whom the upstream knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.web_identity import OPERATION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.web_identity import WebIdentities

_USER = "mirror"
_USER_ID = "AIDAMIRRORMIRRORMIRRO"  # of the form of a user's


def name_caller(account: str) -> str:
    """Return the ARN of whoever calls."""
    return f"arn:aws:iam::{account}:user/{_USER}"


class StsService:
    """STS in one region, as the gate calls it. `identities`: who gives roles to who shows a token."""

    name = "sts"

    def __init__(self, account: str, identities: WebIdentities | None = None) -> None:
        self._account = account
        self._identities = identities

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        own = {"GetCallerIdentity": self.get_caller_identity}
        return own | ({OPERATION: self._identities.assume_role} if self._identities else {})

    def get_caller_identity(self, _: Parameters) -> Mapping[str, Any]:
        """Say who calls."""
        return {"UserId": _USER_ID, "Account": self._account, "Arn": name_caller(self._account)}
