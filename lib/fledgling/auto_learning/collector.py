"""Which outcomes are worth learning from, and which side of the split a task is on.

The documented filter: a success with a meaningful reply, rated high enough, neither trivially short
nor timed out, without errors or retries. The split goes by a hash of the task's id, so that it
never changes and all records of one task are on one side.
"""

from __future__ import annotations

from collections.abc import Mapping

from fledgling.auto_learning.settings import CollectorSection

TRAINING, VALIDATION = "training", "validation"
ACCEPTED = "accepted"
_HASH_DIGITS = 8  # hexadecimal digits of the md5: shares are exact to 2e-10


def reason_sql(section: CollectorSection) -> str:
    """SQL for why an outcome is not learned from, the first reason that holds, or NULL."""
    return f"""CASE
        WHEN NOT success THEN 'not successful'
        WHEN length(regexp_replace(reply, '\\s', '', 'g')) < {section.reply_chars} THEN 'no output'
        WHEN errors > 0 THEN 'had errors'
        WHEN retries > 0 THEN 'had retries'
        WHEN quality IS NULL THEN 'not rated'
        WHEN quality < {section.quality} THEN 'quality too low'
        WHEN seconds < {section.shortest_s} THEN 'too fast (trivial)'
        WHEN seconds > {section.longest_s} THEN 'too slow (time-out)'
        {_by_others_sql(section)} END"""


def _by_others_sql(section: CollectorSection) -> str:
    """Nothing where everybody is learned from."""
    if not section.learned_from:
        return ""
    names = ", ".join("'{}'".format(name.replace("'", "''")) for name in section.learned_from)
    return f"WHEN model NOT IN ({names}) THEN 'done by others'"


def split_sql(section: CollectorSection) -> str:
    """SQL for the side of the split that ``task_id`` is on."""
    return (
        f"CASE WHEN ('0x' || left(md5(task_id), {_HASH_DIGITS}))::UBIGINT"
        f" < {_limit(section)} THEN '{TRAINING}' ELSE '{VALIDATION}' END"
    )


def _limit(section: CollectorSection) -> int:
    return round(section.training_share * 16**_HASH_DIGITS)


def summary(counts: Mapping[tuple[str, str], int]) -> dict[str, int | dict[str, int]]:
    """Counts by (reason, side) as the report that a person reads: totals, sides, reasons from the
    most frequent down.
    """
    accepted = {
        side: sum(n for (reason, where), n in counts.items() if (reason, where) == (ACCEPTED, side))
        for side in (TRAINING, VALIDATION)
    }
    reasons: dict[str, int] = {}
    for (reason, _), number in counts.items():
        if reason != ACCEPTED:
            reasons[reason] = reasons.get(reason, 0) + number
    return {
        "processed": sum(counts.values()),
        "high_quality": sum(accepted.values()),
        **accepted,
        "rejected": dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
    }
