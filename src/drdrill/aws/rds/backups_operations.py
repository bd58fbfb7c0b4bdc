"""Operations on automated backups: describe them, also those of deleted instances, and delete these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.listing import select_page
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.backups_log import ArchivedLog
    from drdrill.aws.rds.region import RdsRegion


class AutomatedBackupOperations:
    """The operations on the automated backups of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "DescribeDBInstanceAutomatedBackups": self.describe_db_instance_automated_backups,
            "DeleteDBInstanceAutomatedBackup": self.delete_db_instance_automated_backup,
        }

    def describe_db_instance_automated_backups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the automated backups of one instance, or of all that pass the filters."""
        _refuse_replicated(parameters)
        wanted = [
            (one.get("Name", ""), {value.lower() for value in one.get("Values", [])})
            for one in parameters.get("Filters", [])
        ]
        for name, parameter in (
            ("db-instance-id", "DBInstanceIdentifier"),
            ("dbi-resource-id", "DbiResourceId"),
        ):
            if parameters.get(parameter):
                wanted.append((name, {parameters[parameter].lower()}))
        for name, _ in wanted:
            if name not in _FILTERS:
                raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {name}")
        found = [
            log
            for log in self._region.logs_archived.all()
            if all(values & set(_FILTERS[name](log)) for name, values in wanted)
        ]
        page, more = select_page(found, parameters, key=lambda log: log.instance.resource_id)
        return {"DBInstanceAutomatedBackups": [_describe(log) for log in page], **more}

    def delete_db_instance_automated_backup(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete what was retained of an instance that is gone."""
        _refuse_replicated(parameters)
        resource_id = parameters.get("DbiResourceId")
        if not resource_id:
            raise AwsError("InvalidParameterCombination", "DbiResourceId must be specified.")
        log = self._region.logs_archived.find(resource_id)
        if log is None:
            text = f"There is no automated backup of {resource_id}."
            raise AwsError("DBInstanceAutomatedBackupNotFound", text, status=404)
        if not log.retained:
            text = f"The automated backup of {resource_id} is {_status(log)}: only a retained one can be deleted."
            raise AwsError("InvalidDBInstanceAutomatedBackupState", text)
        described = {**_describe(log), "Status": "deleting"}
        log.discard()
        return {"DBInstanceAutomatedBackup": described}


def _refuse_replicated(parameters: Parameters) -> None:
    """Refuse the ARN of backups that were replicated from another region: the mirror replicates none."""
    arn = parameters.get("DBInstanceAutomatedBackupsArn")
    if arn:
        text = f"There is no automated backup {arn}."
        raise AwsError("DBInstanceAutomatedBackupNotFound", text, status=404)


def _status(log: ArchivedLog) -> str:
    return "retained" if log.retained else "active" if log.earliest() else "creating"


_FILTERS: Mapping[str, Callable[[ArchivedLog], tuple[str, ...]]] = {
    "status": lambda log: (_status(log),),
    "db-instance-id": lambda log: (log.instance.identifier, log.instance.arn.lower()),
    "dbi-resource-id": lambda log: (log.instance.resource_id.lower(),),
}


def _describe(log: ArchivedLog) -> dict[str, Any]:
    """Return a `DBInstanceAutomatedBackup` of the API."""
    instance = log.instance
    return {
        "DBInstanceIdentifier": instance.identifier,
        "DBInstanceArn": instance.arn,
        "DbiResourceId": instance.resource_id,
        "Region": instance.region,
        "Status": _status(log),
        "RestoreWindow": {"EarliestTime": log.earliest(), "LatestTime": log.latest},
        "AllocatedStorage": instance.allocated_storage,
        "AvailabilityZone": instance.zone,
        "BackupRetentionPeriod": instance.backup_retention_days,
        "Encrypted": instance.kms_key is not None,
        "KmsKeyId": instance.kms_key,
        "Engine": "postgres",
        "EngineVersion": instance.engine_version,
        "InstanceCreateTime": instance.created_at,
        "IAMDatabaseAuthenticationEnabled": False,
        "LicenseModel": "postgresql-license",
        "MasterUsername": instance.master_username,
        "Port": PORT,
        "StorageType": "gp3",
        "TagList": [{"Key": key, "Value": value} for key, value in instance.tags],
    }
