"""Clients of AWS: credentials and region as its library finds them in a pod, time limits that users can wait for."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config

# The library's own limits are a minute each, several times over.
_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


def make_client(service: str, *, region: str) -> Any:
    """Return a client of a service in a region."""
    return botocore.session.get_session().create_client(service, region_name=region, config=_CONFIG)
