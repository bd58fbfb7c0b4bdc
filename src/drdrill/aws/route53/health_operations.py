"""The operations on health checks, and what their checkers saw."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.route53.health_checks import CALCULATED, HealthCheck, complete, update
from drdrill.aws.route53.listing import cut_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.route53.control_plane import ControlPlane

_MOST_LISTED = 100


class HealthOperations:
    """The operations on health checks."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateHealthCheck": self.create_health_check,
            "GetHealthCheck": self.get_health_check,
            "GetHealthCheckCount": self.get_health_check_count,
            "ListHealthChecks": self.list_health_checks,
            "UpdateHealthCheck": self.update_health_check,
            "DeleteHealthCheck": self.delete_health_check,
            "GetHealthCheckStatus": self.get_health_check_status,
            "GetHealthCheckLastFailureReason": self.get_health_check_last_failure_reason,
        }

    def create_health_check(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a check and have checkers look; the same request once more is answered with the check that it made."""
        config, reference = complete(parameters["HealthCheckConfig"]), parameters["CallerReference"]
        plane = self._plane
        with plane.lock:
            there = next((one for one in plane.checks.values() if one.reference == reference), None)
            if there is not None and there.config != config:
                text = "A health check with the same caller reference and other settings exists already."
                raise AwsError("HealthCheckAlreadyExists", text, status=409)
            check = there or HealthCheck(str(uuid.uuid4()), reference, config)
            if there is None:
                self._require_children(check)
                plane.watch(check)
        location = f"https://route53.amazonaws.com/2013-04-01/healthcheck/{check.identifier}"
        return {"HealthCheck": check.describe(), "Location": location}

    def get_health_check(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a check."""
        return {"HealthCheck": self._plane.find_check(parameters["HealthCheckId"]).describe()}

    def get_health_check_count(self, _: Parameters) -> Mapping[str, Any]:
        """Count the checks."""
        return {"HealthCheckCount": len(self._plane.checks)}

    def list_health_checks(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the checks in the order in which they were made."""
        with self._plane.lock:
            checks = list(self._plane.checks.values())
        marker = parameters.get("Marker", "")
        if marker:
            identifiers = [one.identifier for one in checks]
            if marker not in identifiers:
                raise AwsError("InvalidInput", f"The marker {marker} is no health check.")
            checks = checks[identifiers.index(marker) :]
        page, after, size = cut_page(checks, parameters.get("MaxItems"), most=_MOST_LISTED)
        return {
            "HealthChecks": [one.describe() for one in page],
            "Marker": marker,
            "IsTruncated": after is not None,
            "MaxItems": size,
            **({"NextMarker": after.identifier} if after else {}),
        }

    def update_health_check(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change a check; what checkers saw before counts no longer."""
        plane = self._plane
        with plane.lock:
            check = update(plane.find_check(parameters["HealthCheckId"]), parameters)
            self._require_children(check)
            plane.watch(check)
        return {"HealthCheck": check.describe()}

    def delete_health_check(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a check that no calculated one counts; records that stood and fell with it only stand from now on."""
        plane, identifier = self._plane, parameters["HealthCheckId"]
        with plane.lock:
            plane.find_check(identifier)
            if any(identifier in one.children for one in plane.checks.values()):
                text = f"The health check {identifier} is a child of a calculated health check."
                raise AwsError("HealthCheckInUse", text)
            del plane.checks[identifier]
            plane.tags.pop(("healthcheck", identifier), None)
            plane.checkers.forget(identifier)
            plane.board.drop(identifier)
        return {}

    def get_health_check_status(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say what each checker saw last."""
        return self._describe(parameters["HealthCheckId"], bad=False)

    def get_health_check_last_failure_reason(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say of each checker that saw a failure what the last one was."""
        return self._describe(parameters["HealthCheckId"], bad=True)

    def _describe(self, identifier: str, *, bad: bool) -> Mapping[str, Any]:
        if self._plane.find_check(identifier).type == CALCULATED:
            text = "The status of a calculated health check is not available; that of each of its child checks is."
            raise AwsError("InvalidInput", text)
        return {"HealthCheckObservations": self._plane.board.describe(identifier, bad=bad)}

    def _require_children(self, check: HealthCheck) -> None:
        for child in check.children:
            if child not in self._plane.checks or child == check.identifier:
                raise AwsError("InvalidInput", f"The child health check {child} does not exist.")
            if self._plane.checks[child].type == CALCULATED:
                raise AwsError("InvalidInput", f"The child health check {child} is a calculated one itself.")
