"""What RDS offers: the one engine of the mirror in its one version, on any class; and no pending maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.creation import STORAGE_GIB, find_wrong_class
from drdrill.aws.rds.listing import select_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

_ENGINE = "postgres"
# Any class of the right form is orderable. These are named to those who name none.
_CLASSES = tuple(
    f"db.{family}.{size}"
    for family, sizes in {
        "t3": ("micro", "small", "medium"),
        "t4g": ("micro", "small", "medium"),
        "m6g": ("large", "xlarge", "2xlarge"),
        "r6g": ("large", "xlarge", "2xlarge", "4xlarge"),
    }.items()
    for size in sizes
)


class EngineOperations:
    """The operations on what there is to be had in one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "DescribeDBEngineVersions": self.describe_db_engine_versions,
            "DescribeOrderableDBInstanceOptions": self.describe_orderable_db_instance_options,
            "DescribePendingMaintenanceActions": self.describe_pending_maintenance_actions,
        }

    def describe_db_engine_versions(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the mirror's version, if it is asked for."""
        _refuse_filters(parameters, "DescribeDBEngineVersions")
        version, family = self._region.engine_version, self._region.parameter_groups.family
        asked = self._fits(parameters) and parameters.get("DBParameterGroupFamily") in (None, family)
        versions = [
            {
                "Engine": _ENGINE,
                "EngineVersion": version,
                "MajorEngineVersion": version.partition(".")[0],
                "DBParameterGroupFamily": family,
                "DBEngineDescription": "PostgreSQL",
                "DBEngineVersionDescription": f"PostgreSQL {version}",
                "Status": "available",
                "ValidUpgradeTarget": [],
                "SupportsReadReplica": True,
                "SupportsLogExportsToCloudwatchLogs": False,
                "SupportsGlobalDatabases": False,
            }
        ]
        page, more = select_page(
            versions if asked else [], parameters, key=lambda one: str(one["EngineVersion"])
        )
        return {"DBEngineVersions": page, **more}

    def describe_orderable_db_instance_options(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the classes that an instance can be made of."""
        _refuse_filters(parameters, "DescribeOrderableDBInstanceOptions")
        wanted = parameters.get("DBInstanceClass")
        for error in find_wrong_class(wanted) if wanted else ():
            raise error
        licensed = parameters.get("LicenseModel") in (None, "postgresql-license")
        offered = licensed and self._fits(parameters) and parameters.get("Vpc", True)
        classes = ((wanted,) if wanted else _CLASSES) if offered else ()
        page, more = select_page(classes, parameters, key=str)
        return {"OrderableDBInstanceOptions": [self._describe(one) for one in page], **more}

    def describe_pending_maintenance_actions(self, parameters: Parameters) -> Mapping[str, Any]:
        """List nothing: nothing in the mirror wants maintenance."""
        _refuse_filters(parameters, "DescribePendingMaintenanceActions")
        wanted = parameters.get("ResourceIdentifier")
        if wanted and wanted not in {one.record.arn for one in self._region.instances()}:
            raise AwsError("ResourceNotFoundFault", f"The resource {wanted} was not found.", status=404)
        return {"PendingMaintenanceActions": []}

    def _fits(self, parameters: Parameters) -> bool:
        version = self._region.engine_version
        return parameters.get("Engine") in (None, _ENGINE) and parameters.get("EngineVersion") in (
            None, version, version.partition(".")[0],
        )  # fmt: skip

    def _describe(self, instance_class: str) -> dict[str, Any]:
        return {
            "Engine": _ENGINE,
            "EngineVersion": self._region.engine_version,
            "DBInstanceClass": instance_class,
            "LicenseModel": "postgresql-license",
            "AvailabilityZones": [{"Name": zone} for zone in self._region.fleet.zones],
            "MultiAZCapable": True,
            "ReadReplicaCapable": True,
            "Vpc": True,
            "SupportsStorageEncryption": False,
            "StorageType": "gp3",
            "SupportsIops": False,
            "SupportsEnhancedMonitoring": False,
            "SupportsIAMDatabaseAuthentication": False,
            "SupportsPerformanceInsights": False,
            "SupportsStorageAutoscaling": False,
            "SupportsClusters": False,
            "SupportedNetworkTypes": ["IPV4"],
            "MinStorageSize": STORAGE_GIB.start,
            "MaxStorageSize": STORAGE_GIB[-1],
        }


def _refuse_filters(parameters: Parameters, operation: str) -> None:
    if parameters.get("Filters"):
        raise NotImplementedInMirrorError(f"The parameter Filters of rds:{operation}")
