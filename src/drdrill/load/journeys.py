"""What users do who come in by a public name: journeys of requests, as `workload.yaml` says them.

Texts have placeholders in braces: `{user}`, `{id}` and `{amount}` of the request, `{content}` (bytes drawn from the
seed), the file's own `values`, and what an earlier step of the journey took from its answer. A value of a body that is
nothing but a number's placeholder stays a number. It must not know who answers.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from drdrill.load.reconciliation import Reconciliation
from drdrill.plan.duration import Duration, ProbeTime
from drdrill.plan.part import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Words = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Status = Annotated[int, Field(ge=100, le=599)]
Value = str | int | float | bool | None
_REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_OF_REQUESTS = ("user", "id", "amount", "content")
_NUMBERS = ("id", "amount")


class Step(Part):
    """One request of a journey. `take`: names for fields of its answer's JSON.

    `writes`: its acknowledgement is one of the ledger's, and it is sent again, with the same `{id}`, until it has a
    definite answer or `give_up` is over.
    """

    name: Words
    service: Words
    request: Words
    headers: dict[str, str] = Field(default_factory=dict)
    body: dict[str, Value] | None = None
    content_bytes: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    status: Annotated[list[Status], Field(min_length=1, default_factory=lambda: [200])]
    take: dict[str, str] = Field(default_factory=dict)
    writes: bool = False

    @field_validator("request")
    @classmethod
    def _is_a_request(cls, value: str) -> str:
        if not _REQUEST.fullmatch(value):
            raise ValueError("a method and a path were expected, such as `GET /users/me`")
        return value

    @property
    def method(self) -> str:
        """Its method."""
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        """Its path, with placeholders."""
        return self.request.partition(" ")[2]

    def placeholders(self) -> Iterator[str]:
        """Yield the names of all placeholders in it."""
        texts = [self.path, *self.headers.values(), *(str(one) for one in (self.body or {}).values())]
        for text in texts:
            yield from placeholders_of(text)


class Journey(Part):
    """A user's requests, one `pause` after the other, begun again `every` so often by each cohort."""

    name: Words
    every: Duration
    pause: Duration
    steps: Annotated[list[Step], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.pause * len(self.steps) > self.every:
            raise ValueError(
                f"its {len(self.steps)} steps take longer than {self.every}: it begins again meanwhile"
            )
        known = set()
        for step in self.steps:
            known |= set(step.take)
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError("two of its steps have one name")
        return self


class Probes(Part):
    """Who asks each service alone, over a connection of its own each time: what availability is judged by.

    `asking`: one request a service, sent `every` so often by each cohort and never again: its answer is what counts.
    `log_in`: how a cohort gets what requests take from it (`take`); once, and again when a service knows it no more.
    """

    every: ProbeTime
    timeout: ProbeTime
    log_in: Step
    asking: Annotated[list[Step], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        services = [step.service for step in self.asking]
        twice = next((name for name in services if services.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"`{twice}` is asked by two of its requests; one was expected")
        return self


class Watchers(Probes):
    """Who stands inside each region and writes there, whatever the public name leads to: they see two writers.

    `ways`: a program of the company, run where operators work, which prints by which name each region's own load
    balancer is found: a JSON object of region and name. `asking`: writes alone.
    """

    ways: Annotated[list[Words], Field(min_length=1)]

    @model_validator(mode="after")
    def _writes(self) -> Self:
        reader = next((step.name for step in self.asking if not step.writes), None)
        if reader is not None:
            raise ValueError(f"`{reader}` does not write; of a watcher every request has to (`writes: true`)")
        return self

    @property
    def probes(self) -> Probes:
        """Return how they ask."""
        return Probes(every=self.every, timeout=self.timeout, log_in=self.log_in, asking=self.asking)


class Population(Part):
    """Who the users are: `name` with `{number}` from 1 to `count`."""

    name: Words
    count: Annotated[int, Field(ge=1, le=1_000_000)]

    def draw(self, number: int) -> str:
        """Return the name of user `number`, counted round."""
        return self.name.format(number=number % self.count + 1)


class Journeys(Part):
    """All journeys, and who makes them. `shapes`: shares of the full rate, spread over the users' time."""

    public_name: Words
    cohorts: Annotated[int, Field(ge=8, le=64)]
    timeout: Duration
    give_up: Duration
    users: Population
    values: dict[str, str] = Field(default_factory=dict)
    shapes: dict[str, Annotated[list[Share], Field(min_length=1)]] = Field(default_factory=dict)
    journeys: Annotated[list[Journey], Field(min_length=1)]
    probes: Probes | None = None
    """Who judges availability in a drill of the whole system."""
    watchers: Watchers | None = None
    """Who watches for two writers where a region is lost."""
    status_page: str | None = None
    """The page on which the company tells users how it is: read by them in a drill of the whole system."""
    reconcile: list[Reconciliation] = Field(default_factory=list)
    """What is to agree when users have left, and all that they began has come to its end."""

    @field_validator("public_name")
    @classmethod
    def _is_https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/"):
            raise ValueError("the address of a server was expected, such as `https://api.example.com`")
        return value.rstrip("/")

    @field_validator("status_page")
    @classmethod
    def _is_a_page(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if value is not None and (parts.scheme != "https" or not parts.hostname):
            raise ValueError("the address of a page was expected, such as `https://status.example.com/`")
        return value

    @field_validator("timeout", "give_up")
    @classmethod
    def _bounded(cls, value: Duration) -> Duration:
        if not timedelta() < value <= timedelta(seconds=60):
            raise ValueError("a time above zero and up to 60 s was expected")
        return value

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Self:
        for journey in self.journeys:
            self._check_said(journey.steps, journey.name)
        for whose, probes in (("probes", self.probes), ("watchers", self.watchers)):
            for step in probes.asking if probes else ():
                assert probes is not None  # noqa: S101  (there is one to ask)
                self._check_said([probes.log_in, step], whose)
        return self

    def _check_said(self, steps: Sequence[Step], whose: str) -> None:
        """Raise for a placeholder that neither the file nor an earlier one of these steps says."""
        known = {*_OF_REQUESTS, *self.values}
        for step in steps:
            unknown = sorted(set(step.placeholders()) - known)
            if unknown:
                where = f"the step `{step.name}` of `{whose}`"
                raise ValueError(f"{where} has `{{{unknown[0]}}}`, which nothing before it says")
            known |= set(step.take)

    @property
    def steps(self) -> Iterator[tuple[Journey, Step]]:
        """Yield all steps with their journeys."""
        return ((journey, step) for journey in self.journeys for step in journey.steps)


def placeholders_of(text: str) -> list[str]:
    """Return the names of a text's placeholders."""
    return _PLACEHOLDER.findall(text)


def fill(text: str, values: Mapping[str, Value]) -> str:
    """Return a text with its placeholders filled in."""
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), text)


def fill_value(value: Value, values: Mapping[str, Value]) -> Value:
    """Return a value of a body, filled in: a number's placeholder alone becomes the number."""
    if not isinstance(value, str):
        return value
    alone = _PLACEHOLDER.fullmatch(value)
    return values[alone[1]] if alone and alone[1] in _NUMBERS else fill(value, values)


def share_at(shape: list[float], part: float) -> float:
    """Return the share of the full rate at a part (0 to 1) of the time; between two shares it goes over evenly."""
    if len(shape) == 1:
        return shape[0]
    position = min(max(part, 0.0), 1.0) * (len(shape) - 1)
    for number, (one, other) in enumerate(pairwise(shape)):
        if position <= number + 1:
            return one + (other - one) * (position - number)
    return shape[-1]
