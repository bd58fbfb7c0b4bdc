"""All pictures of a drill, each under its name: for the page in two widths, and standing alone for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.report.account import read_account
from drdrill.report.availability_strip import draw_availability, draw_service
from drdrill.report.commit_rate import draw_commits
from drdrill.report.course import draw_course
from drdrill.report.frame import WIDE, make_frame
from drdrill.report.objectives_chart import draw_objectives
from drdrill.report.phases import draw_phases
from drdrill.report.restore_picture import draw_restore
from drdrill.report.runbook_section import draw_runbook
from drdrill.report.store_map import draw_map
from drdrill.report.swept_curve import draw_swept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.record.directory import DrillDirectory
    from drdrill.report.account import Account
    from drdrill.report.picture import Picture


def draw_all(account: Account, width: int) -> dict[str, Picture]:
    """Draw what a drill has material for, each picture under its name, in the order of the page."""
    frame = make_frame(account, width)
    pictures = {
        "objectives": draw_objectives(account, width),
        "availability": draw_availability(account, frame) if frame else None,
        "commits": draw_commits(account, frame) if frame else None,
        "course": draw_course(account, frame) if frame and account.facts.fault else None,
        "phases": draw_phases(account, width),
        "map": draw_map(account, width),
        "swept": draw_swept(account, frame) if frame else None,
        "restore": draw_restore(account, frame) if frame else None,
        "waterfall": draw_runbook(account, width),
    }
    for service in account.scenario.services if frame else ():
        pictures[name_of_strip(service)] = draw_service(account, frame, service) if frame else None
    return {name: picture for name, picture in pictures.items() if picture is not None}


def name_of_strip(service: str) -> str:
    """Return the name of the picture of another service's availability."""
    return f"availability of {service}"


def render_pictures(directory: DrillDirectory) -> Mapping[str, str]:
    """Return a drill's pictures as standalone SVG by their titles. Raises what `read_account` raises."""
    account = read_account(directory)
    return {name: picture.svg(standalone=True) for name, picture in draw_all(account, WIDE).items()}
