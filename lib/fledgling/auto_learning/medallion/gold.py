"""Gold: what training and reports read. ``tasks`` has one row of features an outcome, ``examples``
the texts of those that are learned from, ``daily`` the sums that reports draw.
"""

from __future__ import annotations

import hashlib
import uuid

from fledgling.auto_learning.collector import ACCEPTED, reason_sql, split_sql
from fledgling.auto_learning.medallion.engine import engine, list_of
from fledgling.auto_learning.medallion.ledger import (
    DAILY,
    EXAMPLES,
    GOLD,
    SILVER,
    TASKS,
    Ledger,
)
from fledgling.auto_learning.medallion.silver import write_days
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.core.database import transaction


def tasks_sql(section: AutoLearningSection) -> str:
    """Features of a table ``outcomes``, one row a task."""
    score, rules = section.score, section.rules
    scale = rules.highest_quality - rules.lowest_quality
    rated = f"coalesce(quality, {score.unscored_quality})"
    return f"""
    SELECT task_id, master, area, model, "user", success, quality, seconds, errors, retries,
        finished, day, received > finished + INTERVAL '{section.rules.late_h} hours' AS late,
        CASE WHEN success THEN {score.completion} + {1.0 - score.completion}
            * least(greatest(({rated} - {rules.lowest_quality}) / {scale}, 0.0), 1.0)
            ELSE 0.0 END AS score,
        ceil((length(prompt) + length(reply)) / {section.readiness.chars_per_token})::INTEGER
            AS tokens,
        coalesce({reason_sql(section.collector)}, '{ACCEPTED}') AS verdict,
        {split_sql(section.collector)} AS side
    FROM outcomes"""


def examples_sql(section: AutoLearningSection) -> str:
    """The texts of the outcomes that are learned from."""
    return f"""
    SELECT task_id, master, area, model, prompt, reply, quality, seconds, finished, day,
        {split_sql(section.collector)} AS side
    FROM outcomes WHERE ({reason_sql(section.collector)}) IS NULL"""


# sums of decimals are exact: the same whatever the order in which threads add
DAILY_SQL = """
    SELECT day, master, area, model, verdict, side, count(*) AS tasks,
        count_if(success) AS completed, count(quality) AS rated,
        sum(quality::DECIMAL(18, 9))::DOUBLE AS quality_sum,
        sum(score::DECIMAL(18, 9))::DOUBLE AS score_sum,
        sum(seconds::DECIMAL(18, 9))::DOUBLE AS seconds_sum, sum(tokens)::BIGINT AS tokens_sum,
        count_if(late) AS late
    FROM features GROUP BY ALL"""


def refresh(ledger: Ledger, section: AutoLearningSection) -> list[str]:
    """Write the days again whose silver has changed, in one transaction. Returns these days."""
    _note_settings(ledger, section)
    days = [row[0] for row in ledger.store.execute("SELECT day FROM stale ORDER BY day")]
    if not days:
        return []
    silver = ledger.parts(SILVER, days)
    written = []
    if silver:
        with engine(section.medallion, ledger.tables / "spill") as duck:
            files = list_of(ledger.files(silver))
            duck.execute(f"CREATE VIEW outcomes AS FROM read_parquet({files})")
            duck.execute(f"CREATE TEMP TABLE features AS {tasks_sql(section)}")
            queries = {TASKS: "FROM features", EXAMPLES: examples_sql(section), DAILY: DAILY_SQL}
            for layer, query in queries.items():
                folder = ledger.tables / layer / uuid.uuid4().hex
                written += write_days(duck, query, layer, folder, ledger)
    with transaction(ledger.store):
        for layer in GOLD:
            ledger.drop(ledger.parts(layer, days))
        ledger.add(written)
        ledger.store.executemany("DELETE FROM stale WHERE day = ?", [(day,) for day in days])
    return days


def _note_settings(ledger: Ledger, section: AutoLearningSection) -> None:
    """Where the collector's limits or the score have changed, every day is stale."""
    said = tasks_sql(section) + examples_sql(section) + DAILY_SQL
    digest = hashlib.sha256(said.encode()).hexdigest()
    if ledger.setting("gold") != digest:
        with transaction(ledger.store):
            ledger.mark_stale([part.day for part in ledger.parts(SILVER)])
            ledger.note("gold", digest)
