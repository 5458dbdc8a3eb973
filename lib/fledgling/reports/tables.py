"""Verdicts as tables: for a notebook, a page or a terminal."""

from __future__ import annotations

from collections.abc import Iterable

import pandas

from fledgling.core.records import Verdict
from fledgling.reports.results import StoredVerdict


def verdict_table(verdicts: Iterable[Verdict]) -> pandas.DataFrame:
    """One row a verdict, named by its metric: target, measured, verdict.

    >>> from fledgling.core.records import judge
    >>> verdict_table([judge("efficacy", ">= 0.9", 0.75)]).loc["efficacy", "verdict"]
    'failed'
    """
    rows = {
        verdict.metric: (
            verdict.target,
            measurement(verdict),
            "passed" if verdict.passed else "failed",
        )
        for verdict in verdicts
    }
    columns = ["target", "measured", "verdict"]
    return pandas.DataFrame.from_dict(rows, orient="index", columns=columns)


def measurement(verdict: Verdict | StoredVerdict) -> str:
    """What was measured, with its interval where it is known: ``"0.95 [0.764, 0.991]"``."""
    return number(verdict.measured, verdict.interval)


def number(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """A measurement as text: four significant digits, "not measured" for ``None``.

    >>> number(0.98765), number(1.0), number(None)
    ('0.9877', '1', 'not measured')
    >>> number(0.95, (0.7639, 0.9911))
    '0.95 [0.764, 0.991]'
    """
    if value is None:
        return "not measured"
    if interval is None:
        return f"{value:.4g}"
    low, high = interval
    return f"{value:.4g} [{low:.3g}, {high:.3g}]"
