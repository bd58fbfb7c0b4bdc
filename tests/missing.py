"""Tests that need a program which a machine may lack: NOT RUN is a failure, unless somebody says that it may be so.

`DRDRILL_ALLOW_MISSING=terraform,localstack` says it: a run that passes without a word would claim what nobody saw.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

_VARIABLE = "DRDRILL_ALLOW_MISSING"


def not_run(tool: str, why: str) -> NoReturn:
    """Report a test as NOT RUN for the lack of a tool: failed, or skipped where its lack is allowed."""
    allowed = {name.strip() for name in os.environ.get(_VARIABLE, "").split(",")}
    if tool in allowed:
        pytest.skip(f"NOT RUN: {why}")
    pytest.fail(f"NOT RUN: {why} {_VARIABLE}={tool} lets the run pass without it.", pytrace=False)
