"""The values of records, checked as Route 53 does before it takes any of a batch."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from drdrill.aws.route53.domain_names import canonical, is_name
from drdrill.dataplane.dns_records import read_value

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTED = re.compile(r'"(?:[^"\\]|\\.){0,255}"(?: +"(?:[^"\\]|\\.){0,255}")*')
_ONE_VALUE = ("CNAME", "SOA")
_NAMES = ("CNAME", "NS", "PTR")


def find_bad_values(kind: str, values: Sequence[str]) -> list[str]:
    """Return what is wrong with a record set's values, in AWS's words."""
    problems = [
        f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
        for value in values
        if (problem := _find_problem(kind, value))
    ]
    problems += [f"Duplicate Resource Record: '{value}'" for value in sorted(_repeated(values))]
    if kind in _ONE_VALUE and len(values) > 1:
        problems.append(
            f"Invalid Resource Record: 'FATAL problem: {kind}RRDATAMultiple (Only one value is allowed)'"
        )
    return problems


def _find_problem(kind: str, value: str) -> str:
    match kind:
        case "A" if not _is_address(value, ipaddress.IPv4Address):
            return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        case "AAAA" if not _is_address(value, ipaddress.IPv6Address):
            return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        case "TXT" if not _QUOTED.fullmatch(value):
            return "InvalidCharacterString (Value should be enclosed in quotation marks)"
        case _ if kind in _NAMES and not is_name(canonical(value)):
            return "DomainNameIllegal (Domain name is not valid)"
    try:
        read_value(kind, value)
    except ValueError:
        return f"{kind}RRDATANotSpaceSeparated (Value has not the fields of this type)"
    return ""


def _is_address(value: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _repeated(values: Sequence[str]) -> set[str]:
    return {value for value in values if values.count(value) > 1}
