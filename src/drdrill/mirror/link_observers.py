"""What is made of looks at a link between regions: whether it is as slow as it was made, or as usual again.

The looks come from the replicas' end: the time that an answer takes over the link, and what arrives of the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Look = Mapping[str, Any]

_OBSERVER = (
    "an answer over the link to a machine beside the replica, and what the replica says it has received"
)
_BEYOND_USUAL_SECONDS = 0.5  # an answer over a usual link: measured 0.05 s, 0.2 s on a loaded machine
_ABOVE_RATE = 1.5  # blocks of 64 KiB arrive whole: a second may see one more than its share


def observe_link_effect(seen: Look, condition: Look) -> dict[str, Any]:
    """Tell whether all links show the condition that was put in force; without a link to see, they do not."""
    looks = seen["looks"]
    effective = bool(looks) and all(_shows(look, condition) for look in looks)
    return {"effective": effective, "observer": _OBSERVER, "looks": looks}


def observe_link_healed(seen: Look, condition: Look | None) -> dict[str, Any]:
    """Tell whether every link that stands answers as usual, and no stream is held to the rate of the `condition`.

    `condition`: what was put in force, None where nobody knows. A link that does not stand slows nobody down. A short
    answer may pass at once between two blocks of a throttled stream, so the stream is looked at, too.
    """
    usual_seconds = float(seen["usual"]["delay_seconds"])
    healed = all(
        look["answer"]["answered"]
        and look["answer"]["took_seconds"] <= usual_seconds + _BEYOND_USUAL_SECONDS
        and not (condition and condition["bytes_per_second"] and _shows(look, condition))
        for look in seen["looks"]
    )
    return {"healed": healed, "observer": _OBSERVER, "looks": seen["looks"]}


def _shows(look: Look, condition: Look) -> bool:
    answer, stream = look["answer"], look["stream"]
    if condition["cut"]:
        return not answer["answered"] and stream["bytes_per_second"] == 0
    if condition["bytes_per_second"]:
        limit = float(condition["bytes_per_second"])
        # Only a stream that has more to send shows that it may not: an idle one arrives slowly over any link.
        return bool(stream["bytes_per_second"] <= _ABOVE_RATE * limit and stream["behind_bytes"] > limit)
    return bool(answer["answered"] and answer["took_seconds"] >= condition["delay_seconds"])
