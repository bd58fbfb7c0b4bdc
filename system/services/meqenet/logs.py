"""Structured logs: one JSON object a line on standard output. Whoever logs gives no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def make_log(**always: str) -> FilteringBoundLogger:
    """Return a log whose lines all say this of their writer."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        cache_logger_on_first_use=True,
    )
    log: FilteringBoundLogger = structlog.get_logger(**always)
    return log
