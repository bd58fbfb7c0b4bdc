"""The company's CI, asked to deploy: it has the manifests from Git, and reaches the clusters by their names."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request

from failover._telling import StoppedError

ADDRESS = "http://ci.internal"
_REPOSITORY, _REVISION = "system", "main"
_WITHIN_SECONDS = 600  # a roll-out waits for nodes that are just starting


def deploy(path: str, cluster: str, *, address: str = ADDRESS) -> None:
    """Have the CI deploy a folder of manifests, rolled out to its end; raises `StoppedError` with its words."""
    wanted = {
        "repository": _REPOSITORY,
        "revision": _REVISION,
        "path": path,
        "cluster": cluster,
        "within_seconds": _WITHIN_SECONDS,
    }
    request = urllib.request.Request(  # noqa: S310 (our own address)
        f"{address}/deploy", json.dumps(wanted).encode(), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=_WITHIN_SECONDS + 60) as answer:  # noqa: S310 (our own address)
            answer.read()
    except urllib.error.HTTPError as error:
        raise StoppedError(
            f"{path} does not run in {cluster}:\n{_read_reason(error)}\n"
            "What to do: put it right, push it, and run the same command again."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise StoppedError(
            f"The CI at {address} did not answer: {error}\n"
            "What to do: look whether it runs. Without it `kubectl apply -k` with the manifests from Git does the same."
        ) from error


def _read_reason(error: urllib.error.HTTPError) -> str:
    body = error.read().decode(errors="replace")
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}: {body[:200]}"
