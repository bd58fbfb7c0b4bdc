"""Operations on DB parameter groups: make, describe, change, take back, delete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.listing import select_page
from drdrill.aws.rds.parameter_groups import ParameterGroup, Setting
from drdrill.aws.rds.parameter_requests import read_reset, read_settings
from drdrill.aws.rds.tags import read_tags
from drdrill.dataplane.postgresql import SETTINGS
from drdrill.dataplane.postgresql_parameters import Owner, Parameter, read_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

_NAME = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,254}(?<!-)")
_FAMILY_OF_AWS = re.compile(
    r"(aurora-)?(postgresql|postgres|mysql|mariadb|oracle|sqlserver|db2|custom)[a-z0-9.-]*\d[a-z0-9.-]*"
)
_KINDS = {"BOOLEAN": "boolean", "INTEGER": "integer", "REAL": "float", "STRING": "string", "ENUM": "string"}
_SOURCES = ("user", "system", "engine-default")


class ParameterGroupOperations:
    """The operations on the parameter groups of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region
        self._groups = region.parameter_groups

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateDBParameterGroup": self.create_db_parameter_group,
            "DescribeDBParameterGroups": self.describe_db_parameter_groups,
            "DescribeDBParameters": self.describe_db_parameters,
            "ModifyDBParameterGroup": self.modify_db_parameter_group,
            "ResetDBParameterGroup": self.reset_db_parameter_group,
            "DeleteDBParameterGroup": self.delete_db_parameter_group,
        }

    def create_db_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a group that sets nothing yet."""
        name, family = parameters["DBParameterGroupName"], parameters["DBParameterGroupFamily"]
        _check_name(name)
        if family != self._groups.family:
            if _FAMILY_OF_AWS.fullmatch(family):
                raise NotImplementedInMirrorError(f"The parameter group family {family}")
            text = f"ParameterGroupFamily {family} is not a valid parameter group family"
            raise AwsError("InvalidParameterValue", text)
        description = parameters["Description"]
        group = ParameterGroup(name.lower(), family, description, self._region.name, read_tags(parameters))
        self._groups.add(group)
        return {"DBParameterGroup": _describe(group)}

    def describe_db_parameter_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one group, or all."""
        _refuse_filters(parameters, "DescribeDBParameterGroups")
        wanted = parameters.get("DBParameterGroupName")
        found = (self._groups.find(wanted),) if wanted else self._groups.all()
        page, more = select_page(found, parameters, key=lambda group: group.name)
        return {"DBParameterGroups": [_describe(group) for group in page], **more}

    def describe_db_parameters(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe what a group sets, and what it could set."""
        _refuse_filters(parameters, "DescribeDBParameters")
        settings = self._groups.find(parameters["DBParameterGroupName"]).settings()
        source = parameters.get("Source")
        if source is not None and source not in _SOURCES:
            text = f"Invalid source: {source}. Must be one of {', '.join(_SOURCES)}"
            raise AwsError("InvalidParameterValue", text)
        described = (_describe_parameter(one, settings.get(one.name)) for one in read_parameters().values())
        listed = [one for one in described if source in (None, one["Source"])]
        page, more = select_page(listed, parameters, key=lambda one: str(one["ParameterName"]))
        return {"Parameters": page, **more}

    def modify_db_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Set parameters, all or none of them; instances of the group follow."""
        group = self._find_own(parameters)
        return self._change(group, read_settings(parameters, group))

    def reset_db_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take parameters back to what the engine has; instances of the group follow."""
        group = self._find_own(parameters)
        return self._change(group, read_reset(parameters, group))

    def delete_db_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a group that no instance has."""
        group = self._find_own(parameters)
        if any(one.record.parameter_group == group.name for one in self._region.instances()):
            text = (
                f"One or more database instances are still members of this parameter group {group.name}, "
                "so the group cannot be deleted"
            )
            raise AwsError("InvalidDBParameterGroupState", text)
        self._groups.remove(group.name)
        return {}

    def _find_own(self, parameters: Parameters) -> ParameterGroup:
        """Return a group that its owner may change; AWS's own default ones have no name that is valid here."""
        name = parameters["DBParameterGroupName"]
        _check_name(name)
        return self._groups.find(name)

    def _change(self, group: ParameterGroup, settings: Mapping[str, Setting]) -> Mapping[str, Any]:
        members = [one for one in self._region.instances() if one.record.parameter_group == group.name]

        def announce() -> None:
            for one in members:
                one.note_parameters()

        group.change(settings, announce)
        return {"DBParameterGroupName": group.name}


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        text = (
            "The parameter DBParameterGroupName is not a valid identifier. Identifiers must begin with a letter; must "
            "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "
            "consecutive hyphens."
        )
        raise AwsError("InvalidParameterValue", text)


def _refuse_filters(parameters: Parameters, operation: str) -> None:
    if parameters.get("Filters"):
        raise AwsError("InvalidParameterValue", f"Filters are not supported by {operation}")


def _describe(group: ParameterGroup) -> dict[str, Any]:
    return {
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": group.arn,
    }


def _describe_parameter(parameter: Parameter, setting: Setting | None) -> dict[str, Any]:
    given = SETTINGS.get(parameter.name)
    ranged = f"{parameter.lowest}-{parameter.highest}" if parameter.lowest else None
    return {
        "ParameterName": parameter.name,
        "ParameterValue": setting.value if setting else given,
        "Description": parameter.description,
        "Source": "user" if setting else "system" if given is not None else "engine-default",
        "ApplyType": "static" if parameter.static else "dynamic",
        "DataType": _KINDS[parameter.kind],
        "AllowedValues": "0,1" if parameter.kind == "BOOLEAN" else ranged,
        "IsModifiable": parameter.owner is Owner.USER,
        "ApplyMethod": "pending-reboot"
        if parameter.static or (setting and setting.at_reboot)
        else "immediate",
    }
