"""The ``reports`` section."""

from __future__ import annotations

from fledgling.core.settings import Positive, Section


class ReportsSection(Section):
    """Headless runs: how long, how many at once, in which order."""

    time_limit_seconds: Positive
    job_gigabytes: Positive
    longest_first: list[str]
