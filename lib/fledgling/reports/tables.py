"""Verdicts as tables: for a notebook, a page or a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas

from fledgling.core.records import Verdict


def verdict_table(verdicts: Iterable[Verdict]) -> pandas.DataFrame:
    """One row a verdict, named by its metric: target, measured, verdict.

    >>> from fledgling.core.records import judge
    >>> verdict_table([judge("efficacy", ">= 0.9", 0.75)]).loc["efficacy", "verdict"]
    'failed'
    """
    rows = verdict_rows([verdict.to_json() for verdict in verdicts])
    return pandas.DataFrame(
        [
            (target, measured, "passed" if passed else "failed")
            for _, target, measured, passed in rows
        ],
        columns=["target", "measured", "verdict"],
        index=[metric for metric, *_ in rows],
    )


def verdict_rows(verdicts: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str, bool]]:
    """(metric, target, measured as text, passed) of verdicts as they stand in results.json."""
    return [
        (
            str(verdict["metric"]),
            str(verdict["target"]),
            number(verdict["measured"]),
            bool(verdict["passed"]),
        )
        for verdict in verdicts
    ]


def number(value: float | None) -> str:
    """A measurement as text: four significant digits, "not measured" for ``None``.

    >>> number(0.98765), number(1.0), number(None)
    ('0.9877', '1', 'not measured')
    """
    return "not measured" if value is None else f"{value:.4g}"


def metric_table(metrics: Mapping[str, float | None]) -> pandas.DataFrame:
    """Metrics with one row a name and one column a recipe; the default recipe's column is called
    "default".

    >>> metric_table({"efficacy": 1.0, "prototype.efficacy": 0.0}).loc["efficacy", "prototype"]
    '0'
    """
    columns: dict[str, dict[str, str]] = {"default": {}}
    for name, value in metrics.items():
        recipe, _, metric = name.rpartition(".")
        columns.setdefault(recipe or "default", {})[metric] = number(value)
    return pandas.DataFrame(columns).fillna("")
