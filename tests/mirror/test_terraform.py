"""What operators get of this machine's Terraform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import MissingPrerequisiteError
from drdrill.mirror.configuration import System
from drdrill.mirror.systems import identify_programs
from drdrill.mirror.terraform import find_terraform, write_settings

if TYPE_CHECKING:
    from pathlib import Path

_PROVIDER = "registry.example/hashicorp/aws/5.100.0/linux_amd64/terraform-provider-aws_v5.100.0_x5"


def _make(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)
    return path


def test_a_program_and_a_provider_are_found(tmp_path: Path) -> None:
    """Either program will do; a place may be a pattern, and the folder is the one that holds the host's name."""
    program = _make(tmp_path / "bin" / "tofu")
    _make(tmp_path / "opt" / "plugins" / _PROVIDER)
    found = find_terraform(
        {"PATH": str(program.parent)}, [str(tmp_path / "none"), str(tmp_path / "opt" / "*")]
    )
    assert (found.program, found.plugins) == (program, tmp_path / "opt" / "plugins")


def test_what_is_missing_is_named_with_the_remedy(tmp_path: Path) -> None:
    """Without a program, and with one but without its provider, the error says which, where it looked, what to do."""
    with pytest.raises(
        MissingPrerequisiteError, match=r"neither terraform nor tofu is on the PATH\. Install"
    ):
        find_terraform({"PATH": str(tmp_path)}, [])
    program = _make(tmp_path / "bin" / "terraform")
    with pytest.raises(
        MissingPrerequisiteError, match=rf"no copy of .* in {tmp_path}/here\. Install Terraform"
    ):
        find_terraform({"PATH": str(program.parent)}, [str(tmp_path / "here")])


def test_a_system_that_needs_what_is_missing(tmp_path: Path) -> None:
    """The remedy names what comes up without it; a system that does not need it is not told of it."""
    empty = {"PATH": str(tmp_path)}
    assert identify_programs(System(build="build.py"), empty) == ()
    with pytest.raises(
        MissingPrerequisiteError, match=r"Install Terraform .*`drdrill env up --only databases`"
    ):
        identify_programs(System(build="build.py", needs=("terraform",)), empty)


def test_settings_hold_any_path(tmp_path: Path) -> None:
    """A folder's name may hold what Terraform's language would take for its own."""
    write_settings(tmp_path / "terraform.rc", tmp_path / 'a "quoted" name')
    assert 'path = "' + str(tmp_path) + '/a \\"quoted\\" name"' in (tmp_path / "terraform.rc").read_text()


def test_a_packed_provider_is_one(tmp_path: Path) -> None:
    """What `terraform providers mirror` writes is found as well; another copy of it is another identity."""
    program = _make(tmp_path / "bin" / "terraform")
    packed = "registry.example/hashicorp/aws/terraform-provider-aws_5.100.0_linux_amd64.zip"
    _make(tmp_path / "plugins" / packed)
    found = find_terraform({"PATH": str(program.parent)}, [str(tmp_path / "plugins")])
    before = found.identify()
    assert found.plugins == tmp_path / "plugins"
    _make(tmp_path / "plugins" / packed.replace("registry", "other"))
    assert found.identify() != before
