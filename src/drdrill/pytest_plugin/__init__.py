"""The pytest plugin (entry point `drdrill`): scenarios are collected from `.feature` files and run as tests.

It is loaded in every pytest run of its environment, so nothing here imports more than pytest itself;
everything else waits for the first `.feature` file.
"""

from __future__ import annotations

from drdrill.pytest_plugin.plugin import (
    pytest_addhooks,
    pytest_addoption,
    pytest_bdd_apply_tag,
    pytest_collect_file,
    pytest_collection_modifyitems,
    pytest_configure,
)
from drdrill.pytest_plugin.scenario import drill_directory_key

__all__ = [
    "drill_directory_key",
    "pytest_addhooks",
    "pytest_addoption",
    "pytest_bdd_apply_tag",
    "pytest_collect_file",
    "pytest_collection_modifyitems",
    "pytest_configure",
]
