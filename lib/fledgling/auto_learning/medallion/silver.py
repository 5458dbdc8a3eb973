"""Silver: typed, valid, one row a task, by day of finishing; what is rejected stands in quarantine.

Of several records of one task the earliest finished stays (at equal times, by content), whatever
the order in which they arrive: silver is a function of the set of lines received. Only the days
that new lines touch are written again.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas

from fledgling.auto_learning.medallion.engine import engine, list_of
from fledgling.auto_learning.medallion.ledger import QUARANTINE, SILVER, Ledger, Part
from fledgling.auto_learning.medallion.rules import (
    CHECKED,
    outcome_schema,
    reasons,
    typing_sql,
    unknown_fields_sql,
)
from fledgling.auto_learning.settings import MedallionSection, RulesSection
from fledgling.core.database import transaction

OUTCOME = (
    'row, received, task_id, master, area, model, "user", prompt, reply, success, quality,'
    " seconds, errors, retries, finished, day"
)
SHOWN_CHARS = 200  # of a rejected line in quarantine; bronze has all of it
# The order of merit among records of one task; the content's hash makes it total.
MERIT = "finished, md5(concat_ws(chr(31), master, area, model, prompt, reply, success, quality))"


@dataclass(frozen=True)
class Refined:
    """One commit: the number of received lines worked on, and fields that no outcome has."""

    lines: int
    unknown: tuple[str, ...]


def refine(ledger: Ledger, medallion: MedallionSection, rules: RulesSection) -> Iterator[Refined]:
    """Type, check and deduplicate the bronze parts that are pending, some at a time; each time is
    one transaction.
    """
    for parts in _in_commits(ledger.pending(), medallion.commit_rows):
        with engine(medallion, ledger.tables / "spill") as duck:
            _type(duck, ledger.files(parts))
            unknown = duck.execute(unknown_fields_sql(medallion.sampled)).fetchall()
            _check(duck, medallion, rules)
            _commit(duck, ledger, parts)
        yield Refined(sum(part.rows for part in parts), tuple(name for (name,) in unknown))


def _in_commits(parts: list[Part], rows: int) -> Iterator[list[Part]]:
    chosen: list[Part] = []
    for part in parts:
        if chosen and sum(one.rows for one in chosen) + part.rows > rows:
            yield chosen
            chosen = []
        chosen.append(part)
    if chosen:
        yield chosen


def _type(duck: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """Tables ``fresh`` (outcomes) and ``rejected`` (what is none)."""
    duck.execute(f"CREATE VIEW received AS FROM read_parquet({list_of(files)})")
    duck.execute(f"CREATE TEMP TABLE typed AS {typing_sql()}")
    duck.execute(
        "CREATE TEMP TABLE rejected AS"
        " SELECT row, received, reason FROM typed WHERE reason IS NOT NULL"
    )


def _check(
    duck: duckdb.DuckDBPyConnection, medallion: MedallionSection, rules: RulesSection
) -> None:
    """Let pandera look at every typed row, a batch at a time; move what it refuses."""
    schema = outcome_schema(rules)
    found = [pandas.Series(dtype="str", name="reason")]
    columns = ", ".join(f'"{name}"' for name in CHECKED)
    sound = duck.sql(f"SELECT {columns} FROM typed WHERE reason IS NULL")
    for batch in sound.to_arrow_reader(medallion.check_rows):
        found.append(reasons(batch.to_pandas(), schema, rules))
    refused = pandas.concat(found[1:] or found).rename_axis("row").reset_index()
    duck.register("refused", refused)
    duck.execute(
        "INSERT INTO rejected SELECT typed.row, received, refused.reason"
        " FROM typed JOIN refused ON typed.row = refused.row"
    )
    duck.execute(
        f"CREATE TEMP VIEW fresh AS SELECT {OUTCOME} FROM typed"
        " ANTI JOIN rejected ON typed.row = rejected.row"
    )


def _commit(duck: duckdb.DuckDBPyConnection, ledger: Ledger, bronze: list[Part]) -> None:
    """Write the touched days again, without losers, and make all of it count at once."""
    days = _touched_days(duck, ledger)
    before = ledger.parts(SILVER, days)
    old = f"UNION ALL SELECT {OUTCOME} FROM read_parquet({list_of(ledger.files(before))})"
    duck.execute(f"CREATE TEMP VIEW pool AS SELECT {OUTCOME} FROM fresh {old if before else ''}")
    _find_losers(duck)
    folder = ledger.tables / SILVER / uuid.uuid4().hex
    kept = "SELECT * FROM pool ANTI JOIN losers ON pool.row = losers.row"
    written = write_days(duck, kept, SILVER, folder, ledger)
    rejected = (
        "SELECT row, received, reason, received::DATE AS day,"
        f" left(try(decode(line)), {SHOWN_CHARS}) AS shown"
        " FROM rejected JOIN received USING (row, received)"
        " UNION ALL BY NAME"
        " SELECT row, received, reason, received::DATE AS day, task_id AS shown FROM losers"
    )
    folder = ledger.tables / QUARANTINE / uuid.uuid4().hex
    quarantined = write_days(duck, rejected, QUARANTINE, folder, ledger)
    with transaction(ledger.store):
        ledger.drop(before)
        ledger.add([*written, *quarantined])
        ledger.store.executemany(
            "UPDATE parts SET pending = 0 WHERE path = ?", [(part.path,) for part in bronze]
        )
        ledger.mark_stale(days)


def _touched_days(duck: duckdb.DuckDBPyConnection, ledger: Ledger) -> list[str]:
    """Days of the new rows, and of older rows of the same tasks."""
    query = "SELECT DISTINCT day FROM fresh"
    before = ledger.parts(SILVER)
    if before:
        query += (
            f" UNION SELECT DISTINCT day FROM read_parquet({list_of(ledger.files(before))}) AS old"
            " SEMI JOIN fresh ON old.task_id = fresh.task_id"
        )
    return sorted(str(day) for (day,) in duck.execute(query).fetchall())


def _find_losers(duck: duckdb.DuckDBPyConnection) -> None:
    """Table ``losers``: all records of a task but its best. Few tasks have two, so that ranking
    looks at those alone.
    """
    duck.execute(
        f"""CREATE TEMP TABLE losers AS
        WITH ranked AS (
            SELECT row, received, task_id, {MERIT.removeprefix("finished, ")} AS content,
                row_number() OVER (PARTITION BY task_id ORDER BY {MERIT}, row) AS place
            FROM pool SEMI JOIN (
                SELECT task_id FROM pool GROUP BY task_id HAVING count(*) > 1
            ) AS repeated ON pool.task_id = repeated.task_id
        )
        SELECT loser.row, loser.received, loser.task_id,
            CASE WHEN loser.content = winner.content THEN 'a duplicate'
                ELSE 'another record of the same task' END AS reason
        FROM ranked AS loser JOIN ranked AS winner
            ON loser.task_id = winner.task_id AND winner.place = 1
        WHERE loser.place > 1"""
    )


def write_days(
    duck: duckdb.DuckDBPyConnection, query: str, layer: str, folder: Path, ledger: Ledger
) -> list[Part]:
    """Write a query's rows to ``folder``, one directory a day. The files count once the ledger
    names them.
    """
    folder.mkdir(parents=True)
    try:
        duck.execute(
            f"COPY ({query}) TO '{folder}' (FORMAT parquet, COMPRESSION zstd,"
            " PARTITION_BY (day), WRITE_PARTITION_COLUMNS true)"
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return ledger.found_in(layer, folder)
