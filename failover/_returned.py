"""An old primary that is back while the failover runs: it is fenced once more before anything is promoted beside it.

A region that comes and goes, or returns in the middle, did not answer when it was fenced, and takes writes now. What
can be reached can be fenced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from failover._telling import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from failover._old_primary import Finding

_ATTEMPTS = 3  # a region that comes and goes may be away again before it is done


def fence_again(look: Callable[[], list[Finding]], fence: Callable[[str], object] | None) -> list[Finding]:
    """Look at old primaries, and `fence` those that may take writes, until none may; return what was found last.

    What does not let itself be fenced is found as it is. None: there is nobody to fence it.
    """
    findings = look()
    for _ in range(_ATTEMPTS):
        databases = sorted({one.database for one in findings if not one.safe})
        if not databases or fence is None:
            break
        for database in databases:
            say("it may take writes: it is fenced once more", database=database)
            fence(database)
        findings = look()
    return findings
