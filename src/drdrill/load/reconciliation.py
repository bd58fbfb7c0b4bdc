"""What is to agree once users have left and their requests have come to an end: the workload's `reconcile`.

Each is asked in one of three ways, and every way finds the same: lines that say what is wrong, in words of the
company. It must not know how an operator asks.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from drdrill.plan.part import Part

Words = Annotated[str, Field(min_length=1)]


class Place(Part):
    """Another store of the plan, and how an operator gets to its rows."""

    store: Words
    host: Words
    database: Words
    user: Words


class Side(Part):
    """What one of two stores has; without `at` the users' store."""

    keys: Words
    """A query with one text a row: what both stores are to have, in the same words."""
    alone: Words
    """What is wrong with a text that only this side has; it stands after the text."""
    at: Place | None = None


class Reconciliation(Part):
    """One thing that is to agree, by exactly one of `wrong`, `pair` and `command`."""

    name: Words
    wrong: Words | None = None
    """A query whose rows, if there are any, are what is wrong."""
    at: Place | None = None
    """Where `wrong` is asked; without it in the users' store."""
    pair: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None
    """Two queries, of two stores: what only one of them has, or has more often, is wrong."""
    command: Annotated[list[Words], Field(min_length=1)] | None = None
    """A program on the operator's host: the lines that it writes, if there are any, are what is wrong."""

    @model_validator(mode="after")
    def _is_asked_in_one_way(self) -> Self:
        ways = [one for one in (self.wrong, self.pair, self.command) if one is not None]
        if len(ways) != 1:
            raise ValueError("exactly one of `wrong`, `pair` and `command` was expected")
        if self.at is not None and self.wrong is None:
            raise ValueError("`at` belongs to `wrong`; each side of a `pair` has its own")
        return self
