"""What the runtime refuses, in the words and with the status that the kubelet expects."""

from __future__ import annotations

from drdrill.core.errors import DrdrillError


class NotFoundError(DrdrillError):
    """There is no such pod, container or image."""

    definite = True


class WrongStateError(DrdrillError):
    """The pod or container is in a state in which this cannot be."""

    definite = True


class NotOfferedError(DrdrillError):
    """This runtime does not do that; the message says what to do instead."""

    definite = True


class TookTooLongError(DrdrillError):
    """A command in a container was killed because its time was up."""
