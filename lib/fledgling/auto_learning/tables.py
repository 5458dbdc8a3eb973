"""Tables for a terminal: where a master stands, and what a decision rests on."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from fledgling.auto_learning.promotion.decisions import Decision
from fledgling.auto_learning.work import Status


def status_table(state: Status, needed: int) -> Table:
    """Who serves, the last verdict, and how far it is to ``needed`` new examples."""
    table = Table(title=state.master, title_justify="left", show_header=False)
    table.add_row("champion", state.champion or "none yet")
    beside = f"{state.challenger} at {state.share:.0%} of the traffic"
    table.add_row("challenger", beside if state.challenger else "none")
    last = f"{state.last_verdict}: {state.last_reason}"
    table.add_row("last verdict", last if state.last_verdict else "none")
    table.add_row(
        "examples",
        f"{state.new_examples} new of {needed} ({state.percent:.0f}%), {state.examples} in all",
    )
    table.add_row("tokens", f"{state.tokens}")
    table.add_row("here", f"about {state.local_seconds:.0f} s")
    table.add_row("hosted", f"about ${state.usd:.2f}, up to {state.hosted_hours:g} h")
    return table


def decision_table(decision: Decision) -> Table:
    """What each variant did, by the evidence of a decision."""
    table = Table(title=f"decision {decision.id}: {decision.verdict}", title_justify="left")
    for heading in ("", "tasks", "score", "completion", "quality", "seconds"):
        table.add_column(heading)
    for variant in ("champion", "challenger"):
        table.add_row(variant, *map(_number, decision.numbers.get(variant, {}).values()))
    return table


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}"
