"""What the operations have in common: how they are found, what they refuse, tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters


def tabulate(operations: object, *names: str) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
    """Return an object's operations by AWS's names: `CreateApi` is its `create_api`."""
    return {name: getattr(operations, re.sub("(?<!^)(?=[A-Z])", "_", name).lower()) for name in names}


def read_tags(parameters: Parameters) -> tuple[tuple[str, str], ...]:
    """Return the tags of a request."""
    return tuple(parameters.get("Tags", {}).items())


def refuse_others(
    operation: str, parameters: Parameters, known: set[str], defaults: Mapping[str, object]
) -> None:
    """Say which parameter is given that the mirror does not implement, unless it says what is so anyway."""
    for name in sorted(parameters.keys() - known):
        if name not in defaults or parameters[name] != defaults[name]:
            raise NotImplementedInMirrorError(f"The parameter {name} of apigatewayv2:{operation}")
