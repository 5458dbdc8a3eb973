"""How far `teachers run` is: a live table on a terminal, one line elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from fledgling.teachers.service import Progress


def show(states: Iterable[Progress], questions: Path, out: Path) -> Progress:
    """Draw the progress: a live table on a terminal, a line at the end elsewhere. Returns the last
    state.
    """
    if not sys.stdout.isatty():
        last = deque(states, maxlen=1).pop()  # a long run makes more states than memory holds
        typer.echo(_line(last))
        return last
    with Live(console=Console(), refresh_per_second=4) as live:
        for last in states:
            live.update(_table(last, questions, out))
    return last


def _table(state: Progress, questions: Path, out: Path) -> Table:
    counts = state.counts
    table = Table(title=f"{questions} → {out}", title_justify="left", show_header=False)
    table.add_row("queue", f"{state.queued} waiting, {state.open} being asked")
    table.add_row(
        "decided",
        f"{counts.decided} now, {counts.already} before, {counts.flagged} flagged, "
        f"{counts.unanswered} unanswered, {counts.unreadable} unreadable",
    )
    table.add_row("rate", f"{state.per_minute:.1f} a minute")
    table.add_row(
        "latency", f"p50 {state.p50:.2f} s   p95 {state.p95:.2f} s   p99 {state.p99:.2f} s"
    )
    table.add_row("used", f"{counts.tokens} tokens, cost {counts.cost:.4f}")
    table.add_row("memory", f"{state.memory_mb:.0f} MB")
    table.add_row("last", escape(state.last))
    return table


def _line(state: Progress) -> str:
    counts = state.counts
    return (
        f"decided {counts.decided}, before {counts.already}, flagged {counts.flagged}, unanswered"
        f" {counts.unanswered}, unreadable {counts.unreadable}; {state.per_minute:.0f} a minute;"
        f" latency p50 {state.p50:.2f} s p95 {state.p95:.2f} s p99 {state.p99:.2f} s;"
        f" {counts.tokens} tokens, cost {counts.cost:.4f}; memory {state.memory_mb:.0f} MB"
    )
