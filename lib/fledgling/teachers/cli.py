"""`fledgling teachers status` and `fledgling teachers run`: what the pool lacks, and the pool at
work.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from fledgling.core.errors import FledglingError
from fledgling.settings import Config, load_config

if TYPE_CHECKING:
    from fledgling.core.runtime import Runtime
    from fledgling.teachers.aggregators.decision import Combine
    from fledgling.teachers.answers import Decide, Teacher
    from fledgling.teachers.pool import Enough
    from fledgling.teachers.service import Progress

app = typer.Typer(no_args_is_help=True, help="A pool of teachers that answers as one.")

Source = Annotated[
    str,
    typer.Option(
        "--teachers",
        help=(
            "Who answers: local, mock, or a preset of configs/teachers (nim, ollama, vllm,"
            " llama_cpp)."
        ),
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override one configuration value; may be repeated."
    ),
]


@app.command()
def status(
    teachers: Source = "",
    set_: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Show who is configured, reachable or missing, and how to mend it. Without --teachers:
    everybody.
    """
    from fledgling.teachers.building import endpoint_presets
    from fledgling.teachers.conditions import conditions

    names = [teachers] if teachers else ["local", *endpoint_presets()]
    configs = {name: _configured(name, "quick", set_ or []) for name in names}
    found = {name: conditions(config.teachers, config.models) for name, config in configs.items()}
    if not teachers:  # the local personas stand in every preset: show them once
        found = {
            name: [row for row in rows if (row.kind == "local") == (name == "local")]
            for name, rows in found.items()
        }
    if as_json:
        typer.echo(
            json.dumps(
                {name: [asdict(row) for row in rows] for name, rows in found.items()}, indent=2
            )
        )
        return
    table = Table(title="Teachers", title_justify="left")
    for heading in ("preset", "teacher", "model", "state", "how to mend it"):
        table.add_column(heading, overflow="fold")
    for name, rows in found.items():
        for row in rows:
            state = f"[green]ready[/]: {row.seen}" if row.ready else f"[red]missing[/]: {row.seen}"
            table.add_row(name, row.name, row.model, state, row.mend)
    Console().print(table)


@app.command()
def run(
    questions: Annotated[
        Path, typer.Option(help="JSONL with a question on each line, or .txt, one a line.")
    ],
    out: Annotated[
        Path, typer.Option(help="Decisions, one JSON line each; what is in it is not asked again.")
    ],
    teachers: Source = "local",
    watch: Annotated[
        bool, typer.Option(help="Go on as the questions file grows, until interrupted.")
    ] = False,
    log: Annotated[
        Path | None, typer.Option(help="Rotating log file; default: OUT with .log appended.")
    ] = None,
    preset: Annotated[str, typer.Option(help="Size preset of the configuration.")] = "quick",
    seed: Annotated[int, typer.Option(help="Seed of local sampling and of mocks.")] = 0,
    set_: Overrides = None,
) -> None:
    """Answer a file of questions. Stop it in any way and start it again: it resumes."""
    from fledgling.core.runtime import log_to_file
    from fledgling.teachers.decision_log import QuestionFile
    from fledgling.teachers.pool import TeacherPool
    from fledgling.teachers.service import TeacherService

    QuestionFile(questions)  # a missing file is said before a model is loaded
    config = _configured(teachers, preset, set_ or [])
    log_to_file(
        log or out.with_name(out.name + ".log"),
        max_bytes=config.teachers.service.log_bytes,
        backups=config.teachers.service.log_backups,
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    found, decide, enough = _pool_and_rule(config, teachers, seed)
    with TeacherPool(found, config.teachers) as pool:
        service = TeacherService(pool, decide, questions, out, enough=enough, stop=stop)
        last = _show(service.run(watch=watch), questions, out)
    if last.unanswered or last.unreadable:
        typer.echo(
            f"{last.unanswered} questions were answered by nobody (run again to ask them), "
            f"{last.unreadable} lines were unreadable; see the log",
            err=True,
        )
        raise typer.Exit(1)


def _configured(teachers: str, preset: str, overrides: Sequence[str]) -> Config:
    """The configuration with the endpoints of a preset and the user's overrides on top."""
    from fledgling.core.layers import merge, parse_overrides
    from fledgling.teachers.building import preset_overrides

    layer = {} if teachers == "mock" else preset_overrides(teachers)
    return load_config(preset, overrides=merge(layer, parse_overrides(overrides)))


def _pool_and_rule(
    config: Config, teachers: str, seed: int
) -> tuple[list[Teacher], Decide, Enough]:
    """The teachers, the decision rule, and when a quorum is enough: when it agrees."""
    from fledgling.core.runtime import start
    from fledgling.models.loading import load_embedder
    from fledgling.teachers.aggregators.agreement import EmbeddingCache
    from fledgling.teachers.aggregators.decision import agree_already, decide

    section, runtime_section = config.teachers, config.core
    runtime = start(
        device=runtime_section.device,
        dtype=runtime_section.dtype,
        threads=runtime_section.threads,
        seed=seed,
    )
    embed = EmbeddingCache(load_embedder().embed, section.pool.embeddings_kept)
    found, combine = _teachers(config, teachers, runtime, seed)
    return (
        found,
        lambda question, answers: decide(question, answers, section, embed, combine=combine),
        lambda answers: agree_already(answers, section, embed),
    )


def _teachers(
    config: Config, teachers: str, runtime: Runtime, seed: int
) -> tuple[list[Teacher], Combine | None]:
    """Mocks, or endpoints with the local personas behind them; and the local model as the one that
    combines.
    """
    from fledgling.models.loading import load_model
    from fledgling.teachers.building import assemble
    from fledgling.teachers.local import combiner
    from fledgling.teachers.mock import load_quiz, mock_pool

    section = config.teachers
    if teachers == "mock":
        manners, size = section.mocks["service"], section.pool.max_teachers
        return [*mock_pool(load_quiz(), *manners, size=size, seed=seed)], None
    loaded = load_model(config.models, runtime)
    found, notes = assemble(section, loaded, seed=seed)
    for note in notes:
        typer.echo(note, err=True)
    return found, combiner(loaded, section.generation)


def _show(states: Iterable[Progress], questions: Path, out: Path) -> Progress:
    """Draw the progress: a live table on a terminal, a line at the end elsewhere. Returns the last
    state.
    """
    console = Console()
    if not sys.stdout.isatty():
        for state in states:
            last = state
        typer.echo(_line(last))
        return last
    with Live(console=console, refresh_per_second=4) as live:
        for state in states:
            last = state
            live.update(_table(state, questions, out))
    return last


def _table(state: Progress, questions: Path, out: Path) -> Table:
    table = Table(title=f"{questions} → {out}", title_justify="left", show_header=False)
    table.add_row("queue", f"{state.queued} waiting, {state.open} being asked")
    table.add_row(
        "decided",
        f"{state.decided} now, {state.already} before, {state.flagged} flagged, "
        f"{state.unanswered} unanswered, {state.unreadable} unreadable",
    )
    table.add_row("rate", f"{state.per_minute:.1f} a minute")
    table.add_row(
        "latency", f"p50 {state.p50:.2f} s   p95 {state.p95:.2f} s   p99 {state.p99:.2f} s"
    )
    table.add_row("memory", f"{state.memory_mb:.0f} MB")
    table.add_row("last", state.last)
    return table


def _line(state: Progress) -> str:
    return (
        f"decided {state.decided}, before {state.already}, flagged {state.flagged}, unanswered"
        f" {state.unanswered}, unreadable {state.unreadable}; {state.per_minute:.0f} a minute;"
        f" latency p50 {state.p50:.2f} s p95 {state.p95:.2f} s p99 {state.p99:.2f} s; memory"
        f" {state.memory_mb:.0f} MB"
    )


if __name__ == "__main__":
    try:
        app()
    except FledglingError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
