"""Terraform (or OpenTofu) of this machine, and a copy of its AWS provider: what operators have on their host.

The provider is taken from a folder where this machine keeps one, unpacked (HOST/hashicorp/aws/VERSION/SYSTEM) or
packed: operators in a mirror reach nothing outside, so it cannot come from a registry.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import MissingPrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAMS = ("terraform", "tofu")
# Where Terraform looks for plugins by itself, and where machines without its registry keep them.
_PLACES = (
    "~/.terraform.d/plugins",
    "/usr/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/opt/*",
)
# Terraform's own two: unpacked, and as `terraform providers mirror` writes it.
_LAYOUTS = (
    "*/hashicorp/aws/*/*_*/terraform-provider-aws*",
    "*/hashicorp/aws/terraform-provider-aws_*_*_*.zip",
)
REMEDY = (
    "Install Terraform 1.10 or later (or OpenTofu) and its AWS provider: `terraform providers mirror "
    "~/.terraform.d/plugins` in system/terraform/foundation gets the provider once."
)


@dataclass(frozen=True, slots=True)
class Terraform:
    """A program, and the folder of the plugins that lie on this machine."""

    program: Path
    plugins: Path

    def identify(self) -> tuple[str, ...]:
        """Return what tells it from another one: where the program and all copies of the provider lie, and their ages.

        A program that is replaced has another age; asking it for its version would take a second.
        """
        copies = (path for layout in _LAYOUTS for path in self.plugins.glob(layout))
        return tuple(f"{path} {path.stat().st_mtime_ns}" for path in (self.program, *sorted(copies)))


def find_terraform(environment: Mapping[str, str], places: Sequence[str] = _PLACES) -> Terraform:
    """Return what this machine has; raises `MissingPrerequisiteError` with what is missing and how to get it."""
    path = environment.get("PATH")
    program = next(filter(None, (shutil.which(name, path=path) for name in PROGRAMS)), None)
    if program is None:
        raise MissingPrerequisiteError(f"neither {' nor '.join(PROGRAMS)} is on the PATH. {REMEDY}")
    plugins = _find_plugins((environment.get("TF_PLUGIN_CACHE_DIR", ""), *places))
    if plugins is None:
        raise MissingPrerequisiteError(
            f"no copy of Terraform's AWS provider lies on this machine, in {', '.join(places)}. {REMEDY}"
        )
    return Terraform(Path(program), plugins)


def _find_plugins(places: Sequence[str]) -> Path | None:
    for place in filter(None, places):
        expanded = Path(place).expanduser()
        for folder in expanded.parent.glob(expanded.name):
            if any(any(folder.glob(layout)) for layout in _LAYOUTS):
                return folder
    return None


def write_settings(path: Path, plugins: Path) -> None:
    """Write Terraform's own settings: the provider from its folder, and no question to its makers."""
    installation = f"filesystem_mirror {{\n    path = {json.dumps(str(plugins))}\n  }}"
    path.write_text(
        f"disable_checkpoint = true\nprovider_installation {{\n  {installation}\n}}\n", encoding="utf-8"
    )


def offer_terraform(settings: Path) -> Mapping[str, str]:
    """Return what operators' environment says of Terraform; nothing where this machine lacks it.

    `settings`: where to write them, when they are not there yet.
    """
    if not settings.exists():
        try:
            write_settings(settings, find_terraform(os.environ).plugins)
        except MissingPrerequisiteError:
            return {}
    return {"TF_CLI_CONFIG_FILE": str(settings)}
