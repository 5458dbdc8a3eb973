"""The ``reports`` section."""

from __future__ import annotations

from fledgling.core.settings import Positive, Section


class ReportsSection(Section):
    """Headless runs."""

    time_limit_seconds: Positive
