"""What is asked of the machine that deploys, and how it refuses: parsed at the edge."""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from drdrill.core.errors import DrdrillError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./^~-]{0,199}")
_LONGEST_SECONDS = 3600.0
_USUAL_SECONDS = 300.0


class DeliveryError(DrdrillError):
    """Something that was asked for cannot be done; `status` is what HTTP calls it."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class WrongRequestError(DeliveryError):
    """It was not asked as it has to be. Nothing was done."""

    definite = True


class NotThereError(DeliveryError):
    """A repository, revision, folder or cluster that is not there. Nothing was done."""

    definite = True
    status = HTTPStatus.NOT_FOUND


class NotAppliedError(DeliveryError):
    """The cluster refused it, or was not reached: a part may have been applied."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BrokenMachineError(DeliveryError):
    """The machine that deploys cannot: git failed, or its disk is full."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class NotRolledOutError(DeliveryError):
    """It was applied, and is not running in its time."""

    status = HTTPStatus.GATEWAY_TIMEOUT


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("a name of letters, digits, `.`, `_` and `-` was expected")
    return name


def _check_revision(revision: str) -> str:
    if not _REVISION.fullmatch(revision):
        raise ValueError("a branch, a tag or a commit was expected")
    return revision


def _check_path(path: str) -> str:
    if path.startswith(("/", "-")) or ".." in path.split("/") or "\0" in path:
        raise ValueError("a folder inside the repository was expected, such as `manifests/eu-west-1`")
    return path


class DeployRequest(BaseModel):
    """`cluster`: a context of the operators' kubeconfig, such as `shop.eu-west-1`; `path`: a folder of kustomize."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: Annotated[str, AfterValidator(_check_name)]
    revision: Annotated[str, AfterValidator(_check_revision)]
    path: Annotated[str, AfterValidator(_check_path)]
    cluster: Annotated[str, Field(min_length=1, pattern="^[^-]")]
    within_seconds: Annotated[float, Field(gt=0, le=_LONGEST_SECONDS)] = _USUAL_SECONDS

    @property
    def within(self) -> timedelta:
        """How long it may take until what was applied runs."""
        return timedelta(seconds=self.within_seconds)


def parse_request(body: bytes) -> DeployRequest:
    """Return what a body asks for; raises `WrongRequestError` with every mistake."""
    try:
        return DeployRequest.model_validate_json(body)
    except ValidationError as error:
        mistakes = [
            f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}"
            for one in error.errors(include_url=False)
        ]
        raise WrongRequestError("; ".join(mistakes)) from error


def check_repository_name(name: str) -> str:
    """Return a name that a repository may have; raises `WrongRequestError`."""
    try:
        return _check_name(name)
    except ValueError as error:
        raise WrongRequestError(f"`{name}`: {error}.") from error
