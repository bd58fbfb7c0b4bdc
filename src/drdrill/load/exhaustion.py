"""When this machine has run out of something: a failure of the users' host, never of the service.

Counted as a refused request it would make an outage that nobody had. Whoever meets it lets it pass, and the
client process ends: a drill whose load does not run proves nothing, which is the truth.
"""

from __future__ import annotations

import errno

# No file descriptor, no memory, no local port (Linux has 28,232 by default, each resting 60 s after its use).
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EADDRNOTAVAIL})


def is_exhaustion(error: Exception) -> bool:
    """Tell whether an error says that this machine lacks resources."""
    return isinstance(error, OSError) and error.errno in _OURS
