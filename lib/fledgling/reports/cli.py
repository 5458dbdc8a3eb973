"""``fledgling report | sweep | results``: notebooks run headless, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fledgling.core.errors import RunError
from fledgling.core.files import read_yaml
from fledgling.core.paths import NOTEBOOKS, REPORTS

if TYPE_CHECKING:
    from fledgling.reports.comparing import Comparison
    from fledgling.reports.results import StoredRun
    from fledgling.reports.runner import Event
    from fledgling.reports.running import Request

_JOBS_HELP = "Notebooks side by side, threads shared out: a number, or auto for one a core."

app = typer.Typer()

Preset = Annotated[str, typer.Option(help="Size of the run: a file in configs/presets.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="A notebook parameter: -p name value.")
]
Reports = Annotated[Path, typer.Option("--reports", help="Where runs are stored.")]
Jobs = Annotated[str, typer.Option("--jobs", help=_JOBS_HELP)]
TimeLimit = Annotated[
    float | None, typer.Option(min=1, help="Seconds one notebook may take; default: the preset's.")
]
Force = Annotated[bool, typer.Option("--force", help="Run even where nothing has changed.")]


@app.command()
def report(
    names: Annotated[
        list[str] | None, typer.Argument(help="Notebooks: name, unique prefix or path.")
    ] = None,
    all_notebooks: Annotated[
        bool, typer.Option("--all", help="Every notebook in notebooks/.")
    ] = False,
    preset: Preset = "quick",
    seed: Seed = 0,
    parameter: Parameters = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="YAML file of parameters.")
    ] = None,
    jobs: Jobs = "auto",
    force: Force = False,
    time_limit: TimeLimit = None,
    reports: Reports = REPORTS,
) -> None:
    """Run notebooks headless and write reports/index.html."""
    from fledgling.reports.notebooks import find_notebook, list_notebooks, pairs
    from fledgling.reports.runner import plan

    if bool(names) == all_notebooks:
        raise RunError(
            "name the notebooks to run, or give --all; for example: fledgling report 00_start_here"
        )
    notebooks = list_notebooks()
    if names:
        notebooks = [find_notebook(name) for name in dict.fromkeys(names)]
    if not notebooks:
        raise RunError(f"there is no notebook in {NOTEBOOKS}")
    parameters = {**(read_yaml(file) if file else {}), **pairs(parameter or [])}
    requests = [
        plan(notebook, preset=preset, seed=seed, parameters=parameters) for notebook in notebooks
    ]
    execute(requests, reports=reports, force=force, jobs=jobs, time_limit=time_limit)


@app.command()
def sweep(
    name: Annotated[str, typer.Argument(help="The notebook.")],
    vary: Annotated[
        list[str],
        typer.Option("--vary", "-v", help="Values to try: -v name=1,2,3; repeat for a grid."),
    ],
    preset: Preset = "quick",
    seed: Seed = 0,
    parameter: Parameters = None,
    jobs: Jobs = "auto",
    force: Force = False,
    time_limit: TimeLimit = None,
    csv: Annotated[
        Path | None, typer.Option(help="The table; default reports/<notebook>/sweep.csv.")
    ] = None,
    reports: Reports = REPORTS,
) -> None:
    """Run one notebook over a grid of parameters and collect its metrics."""
    from fledgling.reports.notebooks import find_notebook, pairs
    from fledgling.reports.sweeps import collect, plan_sweep, write_table

    notebook = find_notebook(name)
    axes = {key: [value for value in text.split(",") if value] for key, text in pairs(vary).items()}
    requests = plan_sweep(
        notebook, axes, preset=preset, seed=seed, parameters=pairs(parameter or [])
    )
    try:
        execute(requests, reports=reports, force=force, jobs=jobs, time_limit=time_limit)
    finally:
        table = collect(requests, reports)
        path = write_table(table, csv or reports / notebook.stem / "sweep.csv")
        typer.echo(f"{len(table)} of {len(requests)} runs in {path}")


@app.command()
def results(
    name: Annotated[str, typer.Argument(help="The notebook.")] = "",
    all_runs: Annotated[bool, typer.Option("--all", help="Every run, the newest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The results as JSON.")] = False,
    reports: Reports = REPORTS,
) -> None:
    """Print the newest results of a notebook, or list every run."""
    from fledgling.reports.notebooks import find_notebook
    from fledgling.reports.results import newest, stored_runs

    if bool(name) == all_runs:
        raise RunError("name a notebook, or give --all; for example: fledgling results 00")
    if all_runs:
        runs, broken = stored_runs(reports)
        show(
            [run.results.to_json() for run in runs] if as_json else runs_table(runs),
            [f"cannot be read: {run.reason}" for run in broken],
        )
        return
    run = newest(name if (reports / name).is_dir() else find_notebook(name).stem, reports)
    error = run.results.error
    show(
        run.results.to_json() if as_json else metrics_table(run),
        [f"error: {error}"] if error and not as_json else [],
    )


@app.command()
def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="RUN RUN...", help="Folder, notebook/run-id or run id.")
    ],
    page: Annotated[
        Path | None, typer.Option(help="The page; default: compare.html beside the index.")
    ] = None,
    reports: Reports = REPORTS,
) -> None:
    """Set runs side by side: settings that differ, metrics, verdicts that changed, figures."""
    from fledgling.core.files import write_text
    from fledgling.reports.comparing import compare as compare_runs
    from fledgling.reports.comparing import find_run
    from fledgling.reports.pages import page as html

    comparison = compare_runs([find_run(name, reports) for name in names])
    console = Console()
    for table in comparison_tables(comparison):
        console.print(table)
    path = page or reports / "compare.html"
    write_text(path, html("compare.html", comparison=comparison))
    typer.echo(f"page: {path}")


def comparison_tables(comparison: Comparison) -> Iterator[Table]:
    """Settings, metrics and verdicts, each a table with a column for each configuration."""
    from fledgling.reports.tables import change, estimate, leaning

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


def show(what: Any, notes: Sequence[str]) -> None:
    """A table, or values as JSON; then lines that belong to them, on stderr."""
    if isinstance(what, Table):
        Console().print(what)
    else:
        typer.echo(json.dumps(what, indent=2, ensure_ascii=False))
    for note in notes:
        typer.echo(note, err=True)


def runs_table(runs: Sequence[StoredRun]) -> Table:
    """One row a run."""
    from fledgling.reports.pages import duration

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
    from fledgling.reports.tables import number

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


def execute(
    requests: Sequence[Request], *, reports: Path, force: bool, jobs: str, time_limit: float | None
) -> None:
    """Run the requests behind one progress bar. Raises ``RunError`` when any did not end well."""
    from fledgling.reports.runner import longest_first, run, side_by_side
    from fledgling.settings import load_config

    section = load_config(requests[0].preset).reports
    if jobs != "auto" and (not jobs.isdecimal() or int(jobs) < 1):
        raise RunError(f"--jobs {jobs!r} is neither auto nor a number of 1 or more")
    events = run(
        longest_first(requests, reports, section),
        reports=reports,
        force=force,
        jobs=side_by_side(len(requests), section) if jobs == "auto" else int(jobs),
        time_limit=time_limit or section.time_limit_seconds,
    )
    failed = 0
    for event in with_progress(requests, events):
        failed += event.stored is not None and event.stored.results.status != "ok"
    typer.echo(f"report: {reports / 'index.html'}")
    if failed:
        raise RunError(
            f"{failed} of {len(requests)} notebooks did not finish; their half-run notebooks are"
            " kept"
        )


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
    if event.stored is None:
        return f"{event.request.name}  unchanged, kept {event.request.run_id}"
    run = event.stored.results
    line = f"{run.notebook}  {run.status}  {run.seconds:.1f} s  {event.request.run_id}"
    return f"{line}\n  {run.error}\n  kept in {event.stored.folder}" if run.error else line
