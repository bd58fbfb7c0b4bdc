"""Cache parameter groups of one region: what they set, and the operations on them."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from drdrill.aws.elasticache.engine import FAMILIES
from drdrill.aws.elasticache.parameters import PARAMETERS, Parameter, check_value, find_parameter
from drdrill.aws.elasticache.tags import read_tags
from drdrill.aws.errors import AwsError
from drdrill.aws.keeping import KeptWithoutLock
from drdrill.aws.rds.listing import select_page
from drdrill.aws.rds.model import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters

_NAME = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9.-]{0,254}(?<!-)")
_MOST = 20  # API reference, ModifyCacheParameterGroup: of one request
_SOURCES = ("user", "system", "engine-default")


class ParameterGroup(KeptWithoutLock):
    """A group of parameters. Thread-safe."""

    def __init__(
        self, name: str, family: str, description: str, region: str, tags: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.name = name
        self.family = family
        self.description = description
        self.tags = tags
        self.arn = f"arn:aws:elasticache:{region}:{ACCOUNT}:parametergroup:{name}"
        self._lock = threading.Lock()
        self._values: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"ParameterGroup({self.name})"

    @property
    def is_default(self) -> bool:
        """Whether it is AWS's own, which nobody may change."""
        return self.name.startswith("default.")

    def values(self) -> Mapping[str, str]:
        """Return what is set by the group."""
        with self._lock:
            return dict(self._values)

    def change(self, values: Mapping[str, str | None]) -> None:
        """Set values, or take them back."""
        with self._lock:
            changed = {**self._values, **values}
            self._values = {name: value for name, value in changed.items() if value is not None}


class ParameterGroups:
    """The groups of a region, AWS's default ones among them. Thread-safe."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._lock = threading.Lock()
        self._groups = {
            name: ParameterGroup(name, family, f"Default parameter group for {family}", region)
            for family in FAMILIES
            for name in (f"default.{family}",)
        }

    def find(self, name: str) -> ParameterGroup:
        """Return a group; raises AWS's CacheParameterGroupNotFound."""
        with self._lock:
            found = self._groups.get(name.lower())
        if found is None:
            text = f"CacheParameterGroup {name} not found."
            raise AwsError("CacheParameterGroupNotFound", text, status=404)
        return found

    def add(self, group: ParameterGroup) -> None:
        """Enter a new group; raises AWS's CacheParameterGroupAlreadyExists."""
        with self._lock:
            if group.name in self._groups:
                text = f"Parameter group {group.name} already exists"
                raise AwsError("CacheParameterGroupAlreadyExists", text)
            self._groups[group.name] = group

    def remove(self, name: str) -> None:
        """Forget a group."""
        with self._lock:
            self._groups.pop(name, None)

    def all(self) -> tuple[ParameterGroup, ...]:
        """Return all groups."""
        with self._lock:
            return tuple(self._groups.values())


class ParameterGroupOperations:
    """The operations on the parameter groups of one region."""

    def __init__(self, region: CacheRegion) -> None:
        self._region = region
        self._groups = region.parameter_groups

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateCacheParameterGroup": self.create_cache_parameter_group,
            "DescribeCacheParameterGroups": self.describe_cache_parameter_groups,
            "DescribeCacheParameters": self.describe_cache_parameters,
            "ModifyCacheParameterGroup": self.modify_cache_parameter_group,
            "ResetCacheParameterGroup": self.reset_cache_parameter_group,
            "DeleteCacheParameterGroup": self.delete_cache_parameter_group,
        }

    def create_cache_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a group that sets nothing yet."""
        name, family = parameters["CacheParameterGroupName"], parameters["CacheParameterGroupFamily"]
        if not _NAME.fullmatch(name) or name.lower().startswith("default"):
            text = f"The parameter CacheParameterGroupName is not a valid identifier: {name}"
            raise AwsError("InvalidParameterValue", text)
        if family not in FAMILIES:
            text = f"CacheParameterGroupFamily {family} is not a valid parameter group family."
            raise AwsError("InvalidParameterValue", text)
        group = ParameterGroup(
            name.lower(), family, parameters["Description"], self._region.name, read_tags(parameters)
        )
        self._groups.add(group)
        return {"CacheParameterGroup": _describe(group)}

    def describe_cache_parameter_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one group, or all."""
        wanted = parameters.get("CacheParameterGroupName")
        found = (self._groups.find(wanted),) if wanted else self._groups.all()
        page, more = select_page(found, parameters, key=lambda group: group.name)
        return {"CacheParameterGroups": [_describe(group) for group in page], **more}

    def describe_cache_parameters(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a group's parameters, all of them or those of one source."""
        group = self._groups.find(parameters["CacheParameterGroupName"])
        source = parameters.get("Source")
        if source not in (None, *_SOURCES):
            raise AwsError("InvalidParameterValue", f"Invalid source: {source}")
        values = group.values()
        described = [_describe_parameter(one, values.get(one.name)) for one in PARAMETERS.values()]
        wanted = [one for one in described if source in (None, one["Source"])]
        page, more = select_page(wanted, parameters, key=lambda one: str(one["ParameterName"]))
        return {"Parameters": page, **more}

    def modify_cache_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Set parameters of a group: in force a moment later on all nodes that have it."""
        group = self._find_own(parameters["CacheParameterGroupName"])
        values: dict[str, str | None] = {}
        for name, value in _read_values(parameters):
            if value is None:
                raise AwsError(
                    "InvalidParameterValue", f"The parameter ParameterValue must be provided for: {name}"
                )
            parameter = find_parameter(name)
            check_value(parameter, value)
            values[name] = value
        group.change(values)
        return {"CacheParameterGroupName": group.name}

    def reset_cache_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take back what a group sets: all of it, or some."""
        group = self._find_own(parameters["CacheParameterGroupName"])
        if parameters.get("ResetAllParameters"):
            if parameters.get("ParameterNameValues"):
                text = "ParameterNameValues must not be specified when ResetAllParameters is true."
                raise AwsError("InvalidParameterCombination", text)
            group.change(dict.fromkeys(group.values()))
        else:
            group.change({find_parameter(name).name: None for name, _ in _read_values(parameters)})
        return {"CacheParameterGroupName": group.name}

    def delete_cache_parameter_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a group that no replication group has."""
        group = self._find_own(parameters["CacheParameterGroupName"])
        for one in self._region.groups():
            if one.record.parameter_group == group.name:
                text = f"One or more cache clusters are still members of this parameter group {group.name}."
                raise AwsError("InvalidCacheParameterGroupState", text)
        self._groups.remove(group.name)
        return {}

    def _find_own(self, name: str) -> ParameterGroup:
        group = self._groups.find(name)
        if group.is_default:
            text = f"The parameter group {group.name} is a default one: it cannot be changed or deleted."
            raise AwsError("InvalidCacheParameterGroupState", text)
        return group


def _read_values(parameters: Parameters) -> list[tuple[str, str | None]]:
    asked = parameters.get("ParameterNameValues", [])
    if not asked:
        raise AwsError("InvalidParameterValue", "The parameter ParameterNameValues must be provided.")
    if len(asked) > _MOST:
        text = f"A maximum of {_MOST} parameters can be modified in a single request."
        raise AwsError("InvalidParameterValue", text)
    return [(str(one.get("ParameterName", "")).lower(), one.get("ParameterValue")) for one in asked]


def _describe(group: ParameterGroup) -> dict[str, Any]:
    return {
        "CacheParameterGroupName": group.name,
        "CacheParameterGroupFamily": group.family,
        "Description": group.description,
        "IsGlobal": False,
        "ARN": group.arn,
    }


def _describe_parameter(parameter: Parameter, value: str | None) -> dict[str, Any]:
    return {
        "ParameterName": parameter.name,
        "ParameterValue": parameter.default if value is None else value,
        "Description": parameter.description,
        "Source": "system" if value is None else "user",
        "DataType": parameter.kind,
        "AllowedValues": parameter.allowed,
        "IsModifiable": True,
        "MinimumEngineVersion": "2.8.6",
        "ChangeType": "immediate",
    }
