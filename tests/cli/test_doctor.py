"""`drdrill doctor` tells what is found and missing, what is needed now apart from what is needed later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drdrill.cli.doctor import check_node, check_terraform, check_tools, render
from drdrill.cli.main import main
from drdrill.mirror.prerequisites import Finding, Machine, Need, check_prerequisites

if TYPE_CHECKING:
    from pathlib import Path


def _tools(machine: Machine) -> dict[str, Finding]:
    return {each.name: each for each in check_tools(machine)}


def _write(programs: Path, name: str, says: str) -> None:
    (programs / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    (programs / name).chmod(0o755)


def test_a_missing_tool_says_what_it_disables_and_how_to_get_it(machine: Machine) -> None:
    """Without any tool of later features every one of them has words for both."""
    findings = check_tools(machine)
    assert not any(each.found for each in findings)
    assert all(each.disables and each.remedy and each.need is Need.LATER for each in findings)


def test_any_of_several_programs_will_do(machine: Machine, programs: Path) -> None:
    """Podman stands in for Docker; the finding says which it is."""
    _write(programs, "podman", "podman version 5.0.1")
    tools = _tools(machine)
    assert (tools["containers"].found, tools["containers"].detail) == (True, "podman 5.0.1")


def test_terraform_counts_with_its_provider(
    machine: Machine, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the program, and with one but without a copy of its AWS provider: missing, with the remedy."""
    missing = check_terraform(machine)
    assert (missing.found, missing.need) == (False, Need.LATER)
    assert "neither terraform nor tofu" in missing.detail
    assert "terraform providers mirror" in missing.remedy
    _write(programs, "tofu", "OpenTofu v1.10.0")
    plugins = tmp_path / "plugins"
    provider = plugins / "registry.example" / "hashicorp" / "aws" / "5.100.0" / "linux_amd64"
    provider.mkdir(parents=True)
    (provider / "terraform-provider-aws_v5.100.0").touch()
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(plugins))
    found = check_terraform(machine)
    assert (found.found, found.detail) == (True, f"1.10.0, its AWS provider in {plugins}")


@pytest.mark.parametrize(("version", "found"), [("v18.20.1", False), ("v20.0.0", True), ("v22.11.0", True)])
def test_an_old_node_is_as_good_as_none(
    machine: Machine, programs: Path, tmp_path: Path, version: str, found: bool
) -> None:
    """Node.js counts from version 20 on, and only with its npm."""
    _write(programs, "node", version)
    assert not check_node(machine, tmp_path).found
    _write(programs, "npm", "10.0.0")
    assert check_node(machine, tmp_path).found is found


def test_the_text_keeps_now_and_later_apart(machine: Machine, tmp_path: Path, programs: Path) -> None:
    """What is needed now comes first; the last line says whether the mirror can run."""
    (programs / "ip").unlink()
    text = render((*check_prerequisites(tmp_path, machine=machine), *check_tools(machine)))
    now, later = text.split("Needed by later features")
    assert "MISSING  ip" in now
    assert "apt-get install iproute2" in now
    assert "MISSING  kind" in later
    assert text.splitlines()[-1] == "The embedded mirror cannot run here: ip missing or insufficient."


def test_json_agrees_with_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document whose `ready` is what the exit status says."""
    status = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["ready"] is (status == 0)
    assert all(each["need"] in {"now", "later"} for each in document["findings"])
