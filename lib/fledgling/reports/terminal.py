"""What the commands show on a terminal: tables, a progress bar, one line for each run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fledgling.reports.comparing import Comparison
from fledgling.reports.pages import duration
from fledgling.reports.results import StoredRun
from fledgling.reports.runner import Event
from fledgling.reports.running import Request
from fledgling.reports.tables import change, estimate, leaning, number


def show(what: Any, notes: Sequence[str] = ()) -> None:
    """A table, or values as JSON; then lines that belong to them, on stderr."""
    if isinstance(what, Table):
        Console().print(what)
    else:
        typer.echo(json.dumps(what, indent=2, ensure_ascii=False))
    for note in notes:
        typer.echo(note, err=True)


def runs_table(runs: Sequence[StoredRun]) -> Table:
    """One row a run."""
    table = Table("notebook", "run", "started, UTC", "status", "verdicts", "time")
    for run in runs:
        found = run.results
        table.add_row(
            escape(run.folder.parent.name),
            escape(run.folder.name),
            escape(found.started.replace("T", " ").removesuffix("Z")),
            found.status,
            f"{found.passed} / {len(found.verdicts)}",
            duration(found.seconds),
        )
    return table


def metrics_table(run: StoredRun) -> Table:
    """Every metric of a run, beside its target and verdict where it has one."""
    found = run.results
    table = Table(
        "metric",
        "measured",
        "target",
        "verdict",
        title=escape(f"{found.notebook} {found.run_id}: {found.status}"),
    )
    verdicts = {verdict.metric: verdict for verdict in found.verdicts}
    for metric, value in found.metrics.items():
        row = [escape(metric), number(value, found.intervals.get(metric))]
        verdict = verdicts.get(metric)
        if verdict is not None:
            row += [verdict.target, "passed" if verdict.passed else "[red]failed"]
        table.add_row(*row)
    return table


def comparison_tables(comparison: Comparison) -> Iterator[Table]:
    """Settings, metrics and verdicts, each a table with a column for each configuration."""
    names = [column.name for column in comparison.columns]
    for title, rows in (
        ("Settings that differ", comparison.settings),
        ("Verdicts that changed", comparison.verdicts),
    ):
        table = Table("", *names, title=title, title_justify="left")
        for name, row in rows.items():
            table.add_row(escape(name), *(escape(value) for value in row))
        yield table
    changes = [f"{name} − {names[0]}" for name in names[1:]]
    table = Table("", *names, *changes, title="Metrics", title_justify="left")
    for row in comparison.metrics:
        differences = [
            f"[bold]{escape(change(one))}[/]" if leaning(one) else escape(change(one))
            for one in row.differences
        ]
        measured = [escape(estimate(one)) for one in row.measured]
        table.add_row(escape(row.metric), *measured, *differences)
    yield table


def with_progress(requests: Sequence[Request], events: Iterable[Event]) -> Iterator[Event]:
    """Pass the events on while one bar over all notebooks and cells follows them."""
    done = {id(request): 0 for request in requests}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cells"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("notebooks", total=sum(request.cells for request in requests))
        for event in events:
            finished = event.kind in ("ended", "skipped")
            done[id(event.request)] = event.request.cells if finished else event.done
            progress.update(bar, completed=sum(done.values()), description=event.request.name)
            if finished:
                progress.console.print(escape(outcome_line(event)), highlight=False, soft_wrap=True)
            yield event


def outcome_line(event: Event) -> str:
    """One line on how a run ended."""
    if event.kind == "skipped":
        return f"{event.request.name}  unchanged, kept {event.request.run_id}"
    if event.stored is None:
        return f"{event.request.name}  lost with its machine  {event.request.run_id}"
    run = event.stored.results
    line = f"{run.notebook}  {run.status}  {run.seconds:.1f} s  {event.request.run_id}"
    return f"{line}\n  {run.error}\n  kept in {event.stored.folder}" if run.error else line
