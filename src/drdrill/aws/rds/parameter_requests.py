"""What requests on parameter groups ask for, checked as RDS checks it and as PostgreSQL does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.parameter_groups import Setting
from drdrill.dataplane.postgresql_parameters import Owner, Parameter, find_refusal, read_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.parameter_groups import ParameterGroup

_MOST = 20  # API reference, ModifyDBParameterGroup: of one request
_AT_REBOOT, _METHODS = "pending-reboot", ("immediate", "pending-reboot")
_INTEGER = re.compile(r"-?\d+")


def read_settings(parameters: Parameters, group: ParameterGroup) -> Mapping[str, Setting]:
    """Return what `ModifyDBParameterGroup` sets, by name; raises the first error that there is."""
    settings = {}
    for one in _read_list(parameters):
        value = one.get("ParameterValue")
        if value is None:
            text = f"The parameter ParameterValue must be provided for: {one.get('ParameterName')}"
            raise AwsError("InvalidParameterValue", text)
        parameter, at_reboot = _read(one)
        _check_value(parameter, value)
        settings[parameter.name] = Setting(value, at_reboot)
    # Together with what is set already: some values are wrong only beside another one.
    refusal = find_refusal({**group.values(), **{name: one.value or "" for name, one in settings.items()}})
    if refusal:
        raise AwsError("InvalidParameterValue", f"Invalid parameter value: {refusal}")
    return settings


def read_reset(parameters: Parameters, group: ParameterGroup) -> Mapping[str, Setting]:
    """Return what `ResetDBParameterGroup` takes back, by name."""
    if parameters.get("ResetAllParameters", not parameters.get("Parameters")):
        if parameters.get("Parameters"):
            text = "Parameters must not be specified when ResetAllParameters is true."
            raise AwsError("InvalidParameterCombination", text)
        known = read_parameters()
        # API reference: dynamic ones immediately, static ones at the next reboot.
        return {name: Setting(None, known[name].static) for name in group.settings()}
    resets = {}
    for one in _read_list(parameters):
        parameter, at_reboot = _read(one)
        resets[parameter.name] = Setting(None, at_reboot)
    return resets


def _read_list(parameters: Parameters) -> list[Mapping[str, Any]]:
    asked: list[Mapping[str, Any]] = parameters.get("Parameters", [])
    if not asked:
        raise AwsError("InvalidParameterValue", "The parameter Parameters must be provided.")
    if len(asked) > _MOST:
        text = f"A maximum of {_MOST} parameters can be modified in a single request."
        raise AwsError("InvalidParameterValue", text)
    return asked


def _read(asked: Mapping[str, Any]) -> tuple[Parameter, bool]:
    """Return a parameter that its user may change, and whether that is to wait for a reboot."""
    name, method = str(asked.get("ParameterName", "")).lower(), asked.get("ApplyMethod")
    parameter = read_parameters().get(name)
    if parameter is None:
        if name.startswith("rds.") or "." in name:
            raise NotImplementedInMirrorError(f"The database parameter {name}")
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
    if parameter.owner is Owner.SERVICE:
        raise AwsError("InvalidParameterValue", f"The parameter {name} cannot be modified.")
    if parameter.owner is Owner.MIRROR:
        raise NotImplementedInMirrorError(f"A change of the database parameter {name}")
    if method not in _METHODS:
        raise AwsError("InvalidParameterValue", f"Invalid apply method: {method}. Must be one of {_METHODS}")
    if parameter.static and method != _AT_REBOOT:
        text = f"cannot use immediate apply method for static parameter: {name}"
        raise AwsError("InvalidParameterCombination", text)
    return parameter, method == _AT_REBOOT


def _check_value(parameter: Parameter, value: str) -> None:
    """Raise AWS's error for a number that is none or out of range: RDS takes numbers without their unit."""
    if "{" in value:
        raise NotImplementedInMirrorError(f"A formula as the value of {parameter.name}")
    if "\n" in value or "\0" in value:
        raise AwsError("InvalidParameterValue", f"Invalid parameter value for: {parameter.name}")
    if parameter.kind != "INTEGER":
        return  # PostgreSQL says what it thinks of it
    if not _INTEGER.fullmatch(value) or not int(parameter.lowest) <= int(value) <= int(parameter.highest):
        text = (
            f"Invalid parameter value: {value} for: {parameter.name} allowed values are: "
            f"{parameter.lowest}-{parameter.highest}"
        )
        raise AwsError("InvalidParameterValue", text)
