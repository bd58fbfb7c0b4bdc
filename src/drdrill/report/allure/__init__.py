"""Allure's page of a run: one HTML file that loads nothing from outside, from what the run stored.

The run itself wrote Allure's results. Here a copy of them is cleaned (`results`), told where and by whom they were
made (`context`), put beside the earlier runs (`history`), made a page by Allure's own generator (`generator`), and
closed against the outside (`sealing`). `attachments` is the way back: what a drill's directory adds to the results.

The page is not the verdict: whatever fails here is one error, and the run keeps its answer.
"""

from drdrill.report.allure.attachments import Attachment, drill_attachments
from drdrill.report.allure.context import describe_environment, describe_executor
from drdrill.report.allure.page import AllurePage, AllurePageError, generate

HISTORY_NAME = "allure-history.jsonl"
"""In the folder of reports: the results of all runs, one line each."""

__all__ = [
    "HISTORY_NAME",
    "AllurePage",
    "AllurePageError",
    "Attachment",
    "describe_environment",
    "describe_executor",
    "drill_attachments",
    "generate",
]
