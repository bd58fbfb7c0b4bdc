"""STS in one region: who the caller is. In the mirror everybody is the one user of the one account.

Roles are not assumed here, and signatures are not verified: there is nobody else to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters

_USER = "mirror"
_USER_ID = "AIDAMIRRORMIRRORMIRRO"  # of the form of a user's


def name_caller(account: str) -> str:
    """Return the ARN of whoever calls."""
    return f"arn:aws:iam::{account}:user/{_USER}"


class StsService:
    """STS in one region, as the gate calls it."""

    name = "sts"

    def __init__(self, account: str) -> None:
        self._account = account

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return {"GetCallerIdentity": self.get_caller_identity}

    def get_caller_identity(self, _: Parameters) -> Mapping[str, Any]:
        """Say who calls."""
        return {"UserId": _USER_ID, "Account": self._account, "Arn": name_caller(self._account)}
