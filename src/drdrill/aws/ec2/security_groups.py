"""The security groups of one region: the upstream keeps them, and nothing in the mirror is kept out by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.aws.upstream_client import UpstreamClient


class UpstreamSecurityGroups:
    """Looks them up. Implements `ports.SecurityGroups`."""

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream

    def find_missing(self, identifiers: Sequence[str], /) -> tuple[str, ...]:
        """Return those ids of which there is no group."""
        if not identifiers:
            return ()
        described = self._upstream.call("ec2", "DescribeSecurityGroups")["SecurityGroups"]
        known = {group["GroupId"] for group in described}
        return tuple(one for one in identifiers if one not in known)
