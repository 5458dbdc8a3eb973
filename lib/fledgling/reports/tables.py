"""Verdicts as tables: for a notebook, a page or a terminal."""

from __future__ import annotations

from collections.abc import Iterable

import pandas

from fledgling.core.records import Interval, Verdict
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


def estimate(measured: Interval | None) -> str:
    """A mean with its limits where they are known.

    >>> estimate(Interval(0.95, 0.7639, 0.9911, 20)), estimate(None)
    ('0.95 [0.764, 0.991]', 'not measured')
    """
    return number(None) if measured is None else number(measured.mean, measured.limits)


def change(difference: Interval | None) -> str:
    """A difference with its sign.

    >>> change(Interval(0.25, 0.1, 0.4, 3)), change(Interval(0.0, 0.0, 0.0, 3)), change(None)
    ('+0.25 [+0.1, +0.4]', '0 [0, 0]', '–')
    """
    if difference is None:
        return "–"
    numbers = [difference.mean, *(difference.limits or ())]
    mean, *limits = [f"{value:+.3g}" if value else "0" for value in numbers]
    return f"{mean} [{', '.join(limits)}]" if limits else mean


def leaning(difference: Interval | None) -> str:
    """``clear`` for a difference whose interval leaves out zero, else nothing."""
    limits = difference.limits if difference else None
    return "clear" if limits and not limits[0] <= 0.0 <= limits[1] else ""
