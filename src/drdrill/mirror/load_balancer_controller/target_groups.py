"""The target groups of the region, asked of Elastic Load Balancing as any program of AWS's asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.mirror.load_balancer_controller.bindings import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

_DRAINING = "draining"


class GroupError(Exception):
    """The region's API did not do it; in its words."""


class RegionTargetGroups:
    """Asks with the pod's own identity, in the region of AWS_REGION. Loaded when it is first used: by who works."""

    def __init__(self) -> None:
        self._arns: dict[str, str] = {}
        self._made: Any = None

    def read(self, group: str) -> frozenset[Target]:
        """Return the targets that are registered and not on their way out."""
        answer = self._ask("describe_target_health", TargetGroupArn=self._find(group))
        return frozenset(
            Target(one["Target"]["Id"], one["Target"]["Port"])
            for one in answer["TargetHealthDescriptions"]
            if one["TargetHealth"]["State"] != _DRAINING
        )

    def register(self, group: str, targets: Iterable[Target]) -> None:
        """Register targets."""
        self._ask("register_targets", TargetGroupArn=self._find(group), Targets=_describe(targets))

    def deregister(self, group: str, targets: Iterable[Target]) -> None:
        """Let targets go."""
        self._ask("deregister_targets", TargetGroupArn=self._find(group), Targets=_describe(targets))

    def _find(self, group: str) -> str:
        if group.startswith("arn:"):
            return group
        if group not in self._arns:
            (found,) = self._ask("describe_target_groups", Names=[group])["TargetGroups"]
            self._arns[group] = found["TargetGroupArn"]
        return self._arns[group]

    def _ask(self, operation: str, **parameters: object) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (see the class)

        try:
            return getattr(self._client(), operation)(**parameters)
        except (BotoCoreError, ClientError) as error:
            raise GroupError(str(error)) from error

    def _client(self) -> Any:
        if self._made is None:
            import os  # noqa: PLC0415

            import botocore.session  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415

            limits = Config(
                connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
            )
            session = botocore.session.get_session()
            self._made = session.create_client("elbv2", region_name=os.environ["AWS_REGION"], config=limits)
        return self._made


def _describe(targets: Iterable[Target]) -> list[dict[str, object]]:
    return [{"Id": one.address, "Port": one.port} for one in targets]
