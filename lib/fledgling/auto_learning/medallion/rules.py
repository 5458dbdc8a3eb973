"""What a record must be: first of the right types, by SQL, then within its ranges, by pandera."""

from __future__ import annotations

from typing import Any

import pandas
import pandera.pandas as pandera
import pyarrow
import pyarrow.compute as compute
from pandera.errors import SchemaErrors

from fledgling.auto_learning.settings import RulesSection
from fledgling.core.errors import ConfigError

NAMES = ("task_id", "master", "area", "model")  # and user, which may be empty
TEXTS = ("prompt", "reply")

# Every field is read as text and cast: a value of another type is a reason, not a crash.
FIELDS = (*NAMES, "user", *TEXTS, "success", "quality", "seconds", "errors", "retries", "finished")
_HOSTILE = " holds something hostile"
_BLANK = 64  # bytes; a longer line of nothing but blanks is "not JSON"
CHECKED = ("row", *FIELDS, "ahead_s")
STRUCTURE = "{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}"


def outcome_schema(section: RulesSection) -> pandera.DataFrameSchema:
    """The ranges of a typed outcome. A check's ``error`` is the reason that a rejected record
    gets.
    """
    columns = {name: _name(name, section.name_pattern) for name in NAMES}
    columns["user"] = _name("user", f"^$|{section.name_pattern}")
    columns |= {name: _text(name, section) for name in TEXTS}
    columns["quality"] = _between(
        "quality", section.lowest_quality, section.highest_quality, nullable=True
    )
    columns["seconds"] = _between("seconds", 0.0, section.seconds)
    columns |= {name: _between(name, 0, section.count) for name in ("errors", "retries")}
    earliest = pandas.Timestamp(section.earliest)
    columns["finished"] = pandera.Column(
        checks=pandera.Check.ge(earliest, error=f"finished before {section.earliest}")
    )
    ahead = pandera.Check.le(section.future_s, error="finished in the future")
    columns["ahead_s"] = pandera.Column(checks=ahead)
    return pandera.DataFrameSchema(columns)


def _name(name: str, pattern: str) -> pandera.Column:
    check = pandera.Check(lambda values: _matches(values, pattern), error=f"{name} is not a name")
    return pandera.Column(checks=check)


def _text(name: str, section: RulesSection) -> pandera.Column:
    checks = [
        pandera.Check.str_length(
            max_value=section.text_chars, error=f"{name} is longer than {section.text_chars}"
        )
    ]
    if section.hostile:  # all patterns in one pass; which one it was is found out for hits alone
        anything = "|".join(f"(?:{pattern})" for pattern in section.hostile.values())
        checks.append(
            pandera.Check(lambda values: ~_matches(values, anything), error=f"{name}{_HOSTILE}")
        )
    return pandera.Column(checks=checks)


def _matches(values: pandas.Series, pattern: str) -> pandas.Series:
    """Arrow's RE2, linear in the text whatever the pattern; pandas would use Python's for some."""
    found = compute.match_substring_regex(pyarrow.array(values), pattern)
    return pandas.Series(found.to_numpy(zero_copy_only=False), index=values.index)


def _between(name: str, low: float, high: float, nullable: bool = False) -> pandera.Column:
    check = pandera.Check.in_range(low, high, error=f"{name} is outside {low:g} to {high:g}")
    return pandera.Column(checks=check, nullable=nullable)


def reasons(
    frame: pandas.DataFrame, schema: pandera.DataFrameSchema, section: RulesSection
) -> pandas.Series:
    """Why each rejected row is rejected, by its ``row`` number: the first rule that it breaks.

    Raises ``ConfigError`` when a rule cannot be applied at all.
    """
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        if cases["index"].isna().any():
            broken = cases[cases["index"].isna()].iloc[0]
            raise ConfigError(
                f"the rule for {broken['column']!r} cannot be applied ({broken['check']});"
                " auto_learning.rules takes RE2 expressions, without look-around"
            ) from errors
        first = cases.drop_duplicates("index")
        rows = frame["row"].iloc[first["index"].astype(int)].to_numpy()
        why = [_say(case, section) for case in first.itertuples()]
        return pandas.Series(why, index=rows, name="reason", dtype="str")
    return pandas.Series([], index=pandas.Index([], dtype="int64"), name="reason", dtype="str")


def _say(case: Any, section: RulesSection) -> str:
    if case.check == "not_nullable":
        return f"{case.column} is not a number"
    if not case.check.endswith(_HOSTILE):
        return str(case.check)
    for kind, pattern in section.hostile.items():
        if compute.match_substring_regex(str(case.failure_case), pattern).as_py():
            return f"{case.column} holds a hostile {kind.replace('_', ' ')}"
    return str(case.check)


def typing_sql() -> str:
    """SELECT that types received lines of a table ``received``: one row a line, with the reason
    for those that are not outcomes at all. Blank lines are left out.

    A sound line is parsed once. What is wrong with another is found out for it alone.
    """
    return f"""
    WITH parsed AS (
        SELECT row, received, line, kept, try(from_json(decode(line), '{STRUCTURE}')) AS r
        FROM received
        WHERE octet_length(line) > {_BLANK} OR regexp_matches(try(decode(line)), '\\S') IS NOT FALSE
    ),
    typed AS (
        SELECT row, received, line, kept, r,
            r.task_id AS task_id, r.master AS master, coalesce(r.area, 'general') AS area,
            r.model AS model, coalesce(r."user", '') AS "user", r.prompt AS prompt,
            r.reply AS reply,
            CASE r.success WHEN 'true' THEN true WHEN 'false' THEN false END AS success,
            nullif(try_cast(r.quality AS DOUBLE), 'nan') AS quality,
            nullif(try_cast(r.seconds AS DOUBLE), 'nan') AS seconds,
            coalesce(try_cast(r.errors AS INTEGER), 0) AS errors,
            coalesce(try_cast(r.retries AS INTEGER), 0) AS retries,
            try_cast(r.finished AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS said_finished,
            CASE WHEN isfinite(said_finished) AND year(said_finished) BETWEEN 1 AND 9999
                THEN said_finished END AS finished
        FROM parsed
    )
    SELECT row, received, task_id, master, area, model, "user", prompt, reply, success, quality,
        seconds, errors, retries, finished, finished::DATE AS day,
        epoch(finished) - epoch(received) AS ahead_s,
        CASE
            WHEN kept IS NOT NULL THEN 'longer than a record may be'
            WHEN r IS NULL THEN CASE
                WHEN try(decode(line)) IS NULL THEN 'not UTF-8 text'
                WHEN NOT json_valid(decode(line)) THEN 'not JSON'
                ELSE 'not a JSON object' END
            WHEN r.task_id IS NULL AND json_type(decode(line)) <> 'OBJECT'
                THEN 'not a JSON object'
            {_missing()}
            {_mistyped()}
        END AS reason
    FROM typed
    """


def _missing() -> str:
    needed = (*(name for name in NAMES if name != "area"), *TEXTS, "success", "seconds", "finished")
    return "\n".join(f"WHEN r.{name} IS NULL THEN '{name} is missing'" for name in needed)


def _mistyped() -> str:
    cast = {
        "success": "true or false",
        "seconds": "a number",
        "finished": "a time",
    }
    lines = [f"WHEN {name} IS NULL THEN '{name} is not {kind}'" for name, kind in cast.items()]
    lines += [
        f"WHEN r.{name} IS NOT NULL AND {test} THEN '{name} is not {kind}'"
        for name, test, kind in (
            ("quality", "quality IS NULL", "a number"),
            ("errors", "r.errors <> errors::VARCHAR", "a whole number"),
            ("retries", "r.retries <> retries::VARCHAR", "a whole number"),
        )
    ]
    # text that is an object or a list in JSON would be learned as its notation
    lines += [
        f"WHEN (starts_with({name}, '{{') OR starts_with({name}, '['))"
        f" AND json_type(decode(line), '$.{name}') <> 'VARCHAR'"
        f" THEN '{name} is not text'"
        for name in TEXTS
    ]
    return "\n".join(lines)


def unknown_fields_sql(share: int) -> str:
    """Names of fields in one of ``share`` lines of ``received`` that no outcome has: senders have
    changed what they send.
    """
    known = ", ".join(f"'{name}'" for name in FIELDS)
    return f"""
    SELECT DISTINCT name FROM (
        SELECT unnest(try(json_keys(decode(line)))) AS name FROM received WHERE row % {share} = 0
    ) WHERE name NOT IN ({known}) ORDER BY name"""
