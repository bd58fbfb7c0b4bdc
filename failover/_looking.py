"""How a program only looks: `--look` changes nothing, says what is not so, and ends with 0 only when all of it is."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from failover._telling import StoppedError

if TYPE_CHECKING:
    from collections.abc import Sequence


def make_parser(purpose: str) -> argparse.ArgumentParser:
    """Return a parser of a command line, with `--look`."""
    parser = argparse.ArgumentParser(
        description=purpose, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--look", action="store_true", help="change nothing; exit status 0: all of it is so")
    return parser


def conclude(missing: Sequence[str], so: str) -> None:
    """Say that it is so; raises `StoppedError` with all that is not."""
    if missing:
        raise StoppedError("\n".join(missing))
    sys.stdout.write(f"{so}\n")
