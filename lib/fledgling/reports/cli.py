"""``fledgling report | sweep | results``: notebooks run headless, and what came of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fledgling.core.errors import RunError
from fledgling.core.files import read_yaml, write_text
from fledgling.core.paths import CONFIGS, NOTEBOOKS, REPORTS, plain_name

if TYPE_CHECKING:
    from fledgling.reports.running import Request

_JOBS_HELP = "Notebooks side by side, threads shared out: a number, or auto for one a core."

app = typer.Typer()


class Format(StrEnum):
    """What a report is also printed as."""

    pdf = "pdf"


class Engine(StrEnum):
    """Where the runs of a sweep are made."""

    local = "local"
    ray = "ray"


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
    to: Annotated[
        Format | None, typer.Option(help="Also print each report: pdf, by a browser that is here.")
    ] = None,
    reports: Reports = REPORTS,
) -> None:
    """Run notebooks headless and write reports/index.html. A parameter with a dot in its name is a
    value of the configuration: -p facts.learning.lr 1e-3.
    """
    from fledgling.reports.notebooks import find_notebook, list_notebooks, pairs
    from fledgling.reports.printing import find_browser, print_pdf
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
    check_settings(requests)
    if to:
        find_browser()  # refused before anything runs
    execute(requests, reports=reports, force=force, jobs=jobs, time_limit=time_limit)
    if to:
        folders = [reports / request.name / request.run_id for request in requests]
        for path in print_pdf([folder / "report.html" for folder in folders]):
            typer.echo(f"printed: {path}")


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
    engine: Annotated[
        Engine, typer.Option(help="Where: processes here, or a Ray cluster (RAY_ADDRESS).")
    ] = Engine.local,
    best: Annotated[
        str, typer.Option(help="The metric that decides; default: the first with a target.")
    ] = "",
    save_preset: Annotated[
        str, typer.Option(help="Write the best configuration to configs/presets/NAME.yaml.")
    ] = "",
    jobs: Jobs = "auto",
    force: Force = False,
    time_limit: TimeLimit = None,
    reports: Reports = REPORTS,
) -> None:
    """Run one notebook over a grid of parameters, here or on a cluster, and report what is best.

    A name with a dot is a value of the configuration: -v facts.learning.lr=1e-3,2e-3. Stopped in
    any way and started again with the same command, it goes on. Its runs get the same number of
    threads whatever --jobs says, so that what they measure is the same.
    """
    from fledgling.reports.notebooks import find_notebook, pairs
    from fledgling.reports.runner import threads_each
    from fledgling.reports.sweep_pages import write_sweep
    from fledgling.reports.sweeps import plan_sweep

    if save_preset:
        plain_name(save_preset, "preset")
    axes = {key: [value for value in text.split(",") if value] for key, text in pairs(vary).items()}
    planned = plan_sweep(
        find_notebook(name), axes, preset=preset, seed=seed, parameters=pairs(parameter or [])
    )
    check_settings(planned.requests)
    try:
        threads = threads_each(len(planned.requests))
        options = {"force": force, "jobs": jobs, "time_limit": time_limit, "threads": threads}
        execute(planned.requests, reports=reports, engine=engine, **options)
    finally:
        page, found = write_sweep(planned, reports, metric=best)
        typer.echo(f"{found.sentence if found else 'no run ended well yet'}\nsweep: {page}")
    if save_preset:
        path = CONFIGS / "presets" / f"{save_preset}.yaml"
        write_text(path, (page.parent / "best_preset.yaml").read_text(encoding="utf-8"))
        typer.echo(f"preset: {path}")


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
    from fledgling.reports.terminal import metrics_table, runs_table, show

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
    from fledgling.reports.comparing import compare as compare_runs
    from fledgling.reports.comparing import find_run
    from fledgling.reports.pages import page as html
    from fledgling.reports.terminal import comparison_tables, show

    comparison = compare_runs([find_run(name, reports) for name in names])
    for table in comparison_tables(comparison):
        show(table)
    path = page or reports / "compare.html"
    write_text(path, html("compare.html", comparison=comparison))
    typer.echo(f"page: {path}")


@app.command()
def mlflow(
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Serve MLflow's pages on this machine.")
    ] = True,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where they are served.")] = 5000,
    uri: Annotated[
        str, typer.Option(help="An MLflow store of your own; default: one beside the reports.")
    ] = "",
    reports: Reports = REPORTS,
) -> None:
    """Open every finished run in MLflow."""
    from fledgling.reports.results import stored_runs
    from fledgling.reports.tracking import log_runs

    home = reports.resolve() / ".mlflow"
    home.mkdir(parents=True, exist_ok=True)
    store = uri or f"sqlite:///{home / 'runs.db'}"
    new = log_runs(stored_runs(reports)[0], store, home / "artifacts")
    typer.echo(f"{new} new runs in {store}")
    if open_page:
        serve = ["ui", "--backend-store-uri", store, "--host", "127.0.0.1", "--port", str(port)]
        subprocess.run([sys.executable, "-m", "mlflow", *serve], check=True)


def check_settings(requests: Sequence[Request]) -> None:
    """Raise ``ConfigError`` for a value given by dotted key that the configuration refuses."""
    from fledgling.settings import load_config

    for request in requests:
        load_config(request.preset, overrides=request.settings)


def execute(
    requests: Sequence[Request],
    *,
    reports: Path,
    force: bool,
    jobs: str,
    time_limit: float | None,
    engine: Engine = Engine.local,
    threads: int = 0,
) -> None:
    """Run the requests behind one progress bar, each on ``threads`` CPU threads; 0 shares them
    out. Raises ``RunError`` when any did not end well."""
    from fledgling.reports.ray_engine import run_on_ray
    from fledgling.reports.runner import longest_first, run, side_by_side, threads_each
    from fledgling.reports.terminal import with_progress
    from fledgling.settings import load_config

    section = load_config(requests[0].preset).reports
    if jobs != "auto" and (not jobs.isdecimal() or int(jobs) < 1):
        raise RunError(f"--jobs {jobs!r} is neither auto nor a number of 1 or more")
    count = side_by_side(len(requests), section) if jobs == "auto" else int(jobs)
    options = {
        "reports": reports,
        "force": force,
        "time_limit": time_limit or section.time_limit_seconds,
    }
    if engine == Engine.ray:
        events = run_on_ray(requests, threads=threads or threads_each(count), **options)
    else:
        ordered = longest_first(requests, reports, section)
        events = run(ordered, jobs=count, threads=threads, **options)
    failed = 0
    for event in with_progress(requests, events):
        ended = event.kind == "ended"
        failed += ended and (event.stored is None or event.stored.results.status != "ok")
    typer.echo(f"report: {reports / 'index.html'}")
    if failed:
        raise RunError(
            f"{failed} of {len(requests)} notebooks did not finish; their half-run notebooks are"
            " kept"
        )
