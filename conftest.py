"""Wiring of this drill repository: where the words of its scenarios are defined."""

pytest_plugins = [
    "steps.environment",
    "steps.faults",
    "steps.recovery",
    "steps.measurement",
    "steps.verdict",
]
