"""Deploying: a revision of a repository is cloned, applied to a cluster by kubectl, and waited for.

Everything is said in the words of git and kubectl, which are the company's own tools.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.mirror.delivery.diagnosis import diagnose
from drdrill.mirror.delivery.request import (
    BrokenMachineError,
    DeliveryError,
    NotAppliedError,
    NotRolledOutError,
    NotThereError,
    WrongRequestError,
    check_repository_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.core.clock import Clock
    from drdrill.mirror.delivery.request import DeployRequest

_GIT_WITHIN = timedelta(seconds=60)  # measured 10 ms
_APPLY_WITHIN = timedelta(
    seconds=120
)  # measured 0.5 s; a cluster that is not there is given up by kubectl after 30 s
_ROLLED_OUT = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was deployed: the commit, and what kubectl said of applying it and of its being rolled out."""

    repository: str
    revision: str
    cluster: str
    said: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """Say it as JSON does."""
        return asdict(self)


class Deployer:
    """Thread-safe: deployments to one cluster take turns. `kubectl` is the command that is asked.

    `folder` holds the repositories, and what is checked out for as long as it is needed.
    """

    def __init__(self, folder: Path, kubeconfig: Path, kubectl: Sequence[str], clock: Clock) -> None:
        self.repositories = folder / "repositories"
        self._work = folder / "work"
        self._kubectl = (*kubectl, f"--kubeconfig={kubeconfig}")
        self._clock = clock
        self._turns: dict[str, threading.Lock] = {}
        self._making = threading.Lock()
        for each in (self.repositories, self._work):
            each.mkdir(parents=True, exist_ok=True)

    def create_repository(self, name: str) -> bool:
        """Make an empty repository to push to; say whether there was none."""
        path = self._repository(name)
        with self._making:
            if path.exists():
                return False
            self._run(
                ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)],
                _GIT_WITHIN,
                BrokenMachineError,
            )
        return True

    def deploy(self, request: DeployRequest) -> Deployed:
        """Apply a revision to a cluster and wait until all of it is rolled out; raises `DeliveryError`."""
        repository = self._repository(request.repository)
        if not repository.is_dir():
            there = ", ".join(sorted(path.stem for path in self.repositories.glob("*.git"))) or "none"
            raise NotThereError(f"there is no repository `{request.repository}` here; there are: {there}.")
        self._require_cluster(request.cluster)
        with self._making:
            turn = self._turns.setdefault(request.cluster, threading.Lock())
        with turn, tempfile.TemporaryDirectory(dir=self._work) as folder:
            revision = self._check_out(repository, request, Path(folder))
            return self._apply(request, revision, Path(folder) / request.path)

    def _repository(self, name: str) -> Path:
        return self.repositories / f"{check_repository_name(name.removesuffix('.git'))}.git"

    def _check_out(self, repository: Path, request: DeployRequest, folder: Path) -> str:
        """Clone a revision into a folder, and return its commit."""
        said = self._try(
            ["git", "-C", str(repository), "rev-parse", "--verify", f"{request.revision}^{{commit}}"],
            _GIT_WITHIN,
        )
        if said.returncode:
            raise NotThereError(
                f"`{request.repository}` has no revision `{request.revision}`: {said.stderr.strip()}"
            )
        commit = said.stdout.strip()
        clone = ["git", "clone", "--quiet", "--no-checkout", "--shared", str(repository), str(folder)]
        self._run(clone, _GIT_WITHIN, BrokenMachineError)
        self._run(
            ["git", "-C", str(folder), "checkout", "--quiet", "--detach", commit],
            _GIT_WITHIN,
            BrokenMachineError,
        )
        # By the links, too: a repository's content is its own, not this machine's.
        if not (folder / request.path).resolve().is_relative_to(folder.resolve()):
            raise WrongRequestError(f"`{request.path}` leads out of `{request.repository}`.")
        if not (folder / request.path).is_dir():
            raise NotThereError(
                f"`{request.repository}` has no folder `{request.path}` in {request.revision} ({commit[:12]})."
            )
        return commit

    def _require_cluster(self, context: str) -> None:
        there = self._try(
            [*self._kubectl, "config", "get-contexts", "--output=name"], _APPLY_WITHIN
        ).stdout.split()
        if context not in there:
            known = ", ".join(there) or "none"
            raise NotThereError(f"there is no cluster `{context}`; there are: {known}.")

    def _apply(self, request: DeployRequest, commit: str, folder: Path) -> Deployed:
        deadline_ns = self._clock.now_ns() + int(request.within_seconds * NANOSECONDS)
        kubectl = [*self._kubectl, f"--context={request.cluster}"]
        applied = self._run([*kubectl, "apply", "-k", str(folder)], _APPLY_WITHIN, NotAppliedError)
        objects = self._run(
            [*kubectl, "get", "-k", str(folder), "--output=json"], _APPLY_WITHIN, NotAppliedError
        )
        said = applied.splitlines()
        for kind, namespace, name in _find_workloads(json.loads(objects)):
            left = max(1, round((deadline_ns - self._clock.now_ns()) / NANOSECONDS))
            command = [
                *kubectl, "rollout", "status", f"{kind.lower()}/{name}", f"--namespace={namespace}",
                f"--timeout={left}s",
            ]  # fmt: skip
            try:
                words = self._run(
                    command, timedelta(seconds=left) + _APPLY_WITHIN, NotRolledOutError, so_far=said
                )
            except NotRolledOutError as error:
                found = diagnose(
                    lambda *asked: self._try([*kubectl, *asked], _APPLY_WITHIN).stdout, namespace
                )
                raise NotRolledOutError("\n".join([str(error), *found])) from error
            said += words.splitlines()[-1:]  # those before are how it went
        return Deployed(request.repository, commit, request.cluster, tuple(said))

    def _run(
        self,
        command: Sequence[str],
        within: timedelta,
        error: type[DeliveryError],
        so_far: Sequence[str] = (),
    ) -> str:
        """Run a program and return what it wrote; raises `error` with its words."""
        ended = self._try(command, within)
        if ended.returncode:
            words = [*so_far, ended.stdout.strip(), ended.stderr.strip()]
            raise error("\n".join(word for word in words if word))
        return ended.stdout

    def _try(self, command: Sequence[str], within: timedelta) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                timeout=within.total_seconds(),
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            said = f"`{' '.join(command)}` was ended by us: not done within {within.total_seconds():g} s"
            raise NotAppliedError(said) from error


def _find_workloads(objects: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return kind, namespace and name of what is rolled out; one object alone is no list."""
    listed = objects["items"] if objects.get("kind") == "List" else [objects]
    return [
        (one["kind"], one["metadata"].get("namespace", "default"), one["metadata"]["name"])
        for one in listed
        if one["kind"] in _ROLLED_OUT and one["apiVersion"].startswith("apps/")
    ]
