"""Domain names as Route 53 takes, keeps, says and sorts them.

Source: Route 53's developer guide, "DNS domain name format".
"""

from __future__ import annotations

import re

from drdrill.aws.errors import AwsError

_ESCAPED = re.compile(r"\\(\d{3})")
_OCTAL = re.compile("[0-3][0-7]{2}")
_LONGEST, _LONGEST_LABEL = 255, 63


def canonical(name: str) -> str:
    r"""Return a name as it is kept: small letters, a dot at its end, `*` instead of `\052`; raises `InvalidInput`."""
    if _has_wrong_escape(name):
        text = f"Invalid domain name {name}: escape codes are those from \\000 to \\377, in octal."
        raise AwsError("InvalidInput", text)
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), name)
    return f"{plain.lower().rstrip('.')}."


def _has_wrong_escape(name: str) -> bool:
    return any(not _OCTAL.fullmatch(code) for code in _ESCAPED.findall(name))


def escape(name: str) -> str:
    r"""Return a name as answers say it: everything but letters, digits, `-`, `_` and dots in octal (`\052`)."""
    return "".join(
        one if one.isascii() and (one.isalnum() or one in "-_.") else f"\\{ord(one):03o}" for one in name
    )


def sort_key(name: str) -> list[str]:
    """Return what names are listed by: their labels, the last one first."""
    return name.rstrip(".").split(".")[::-1]


def is_name(name: str) -> bool:
    """Tell whether a canonical name is one that DNS can have."""
    labels = name.rstrip(".").split(".")
    printable = all(" " < one <= "~" for one in name)
    return printable and len(name) <= _LONGEST and all(0 < len(label) <= _LONGEST_LABEL for label in labels)


def require_name(name: str) -> str:
    """Return the canonical name; raises AWS's `InvalidDomainName`."""
    kept = "" if _has_wrong_escape(name) else canonical(name)
    if not is_name(kept):
        raise AwsError("InvalidDomainName", f"{name} is not a valid domain name.")
    return kept
