"""`fledgling teachers status | run | learn | serve`: what the pool lacks, and the pool at work."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fledgling.core.errors import ConfigError
from fledgling.settings import Config, load_config

if TYPE_CHECKING:
    from fledgling.teachers.building import Members
    from fledgling.teachers.desk import Desk

_LOOPBACK = "127.0.0.1"

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
Preset = Annotated[str, typer.Option(help="Size preset of the configuration.")]
Seed = Annotated[int, typer.Option(help="Seed of local sampling and of mocks.")]
TrustPath = Annotated[
    Path | None, typer.Option(help="Weights by `learn`: decide by whom they believe.")
]
GoldPath = Annotated[
    Path | None,
    typer.Option(help="Known answers, read as they arrive; they refresh the --trust file."),
]
LogPath = Annotated[Path | None, typer.Option(help="Rotating log file.")]


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
        rows = {name: [asdict(row) for row in rows] for name, rows in found.items()}
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(title="Teachers", title_justify="left")
    for heading in ("preset", "teacher", "model", "state", "how to mend it"):
        table.add_column(heading, overflow="fold")
    for name, rows in found.items():
        for row in rows:
            state = "[green]ready[/]" if row.ready else "[red]missing[/]"
            # what a server said is text: brackets in it are no markup
            said = (escape(text) for text in (row.seen, row.mend))
            seen, mend = said
            table.add_row(name, escape(row.name), escape(row.model), f"{state}: {seen}", mend)
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
    trust: TrustPath = None,
    gold: GoldPath = None,
    log: LogPath = None,
    preset: Preset = "quick",
    seed: Seed = 0,
    set_: Overrides = None,
) -> None:
    """Answer a file of questions. Stop it in any way and start it again: it resumes."""
    from fledgling.teachers.progress import show
    from fledgling.teachers.questions import QuestionFile
    from fledgling.teachers.service import TeacherService

    config = _configured(teachers, preset, set_ or [])
    # a missing file is said before a model is loaded
    QuestionFile(questions, line_bytes=config.teachers.service.line_bytes)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    log = log or out.with_name(out.name + ".log")
    if log.resolve() in (out.resolve(), questions.resolve()):
        raise ConfigError(f"--log {log} is --out or --questions itself; give another name")
    with _desk(config, teachers, seed, log=log, trust=trust, gold=gold) as desk:
        service = TeacherService(
            desk.pool,
            desk.decide,
            questions,
            out,
            enough=desk.enough,
            gold=desk.book,
            stop=stop,
        )
        last = show(service.run(watch=watch), questions, out)
    if last.counts.unanswered or last.counts.unreadable:
        typer.echo(
            f"{last.counts.unanswered} questions were answered by nobody (run again to ask them), "
            f"{last.counts.unreadable} lines were unreadable (an error record each); see {log}",
            err=True,
        )
        raise typer.Exit(1)


@app.command()
def learn(
    gold: Annotated[Path, typer.Option(help='JSONL, {"question": "…", "answer": "…"} a line.')],
    out: Annotated[Path, typer.Option(help="The trust file; what it knows is not asked again.")],
    teachers: Source = "local",
    log: LogPath = None,
    preset: Preset = "quick",
    seed: Seed = 0,
    set_: Overrides = None,
) -> None:
    """Learn whom to believe from questions whose answers are known, for `run --trust`."""
    config = _configured(teachers, preset, set_ or [])
    with _desk(config, teachers, seed, log=log, trust=out, gold=gold) as desk:
        silent = sum(not reply.usable for _, reply in desk.learn())
        book = desk.book
    if book is None or book.trust is None:
        raise ConfigError(f"nothing could be learned from {gold}: no teacher answered a line of it")
    table = Table(title=f"{len(book)} known answers → {out}", title_justify="left")
    for heading in ("teacher", "weight (log-odds of a full vote)"):
        table.add_column(heading)
    for name, weight in sorted(book.trust.weight_of().items(), key=lambda pair: -pair[1]):
        table.add_row(escape(name), f"{weight:+.2f}")
    Console().print(table)
    levels = ", ".join(f"{level:.2f}" for level in book.trust.levels)
    typer.echo(f"right at its levels of confidence: {levels or 'too few answers to tell'}")
    if silent:
        typer.echo(f"{silent} questions were answered by nobody; run again to ask them", err=True)
        raise typer.Exit(1)


@app.command()
def serve(
    teachers: Source = "local",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Default: teachers.service.port; 0: any.")
    ] = None,
    trust: TrustPath = None,
    log: LogPath = None,
    preset: Preset = "quick",
    seed: Seed = 0,
    set_: Overrides = None,
) -> None:
    """Answer any OpenAI client on this machine, until interrupted."""
    import uvicorn

    from fledgling.teachers.serving import MODEL, create_app

    config = _configured(teachers, preset, set_ or [])
    rules = config.teachers.service
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wanted = rules.port if port is None else port
        try:
            door.bind((_LOOPBACK, wanted))
        except OSError as error:
            raise ConfigError(
                f"port {wanted} is not free ({error.strerror}); give another one with --port"
            ) from error
        with _desk(config, teachers, seed, log=log, trust=trust) as desk:
            front = create_app(
                desk.pool, desk.decide, body_bytes=rules.line_bytes, enough=desk.enough
            )
            address = f"http://{_LOOPBACK}:{door.getsockname()[1]}/v1"
            typer.echo(f"serving {address} (model {MODEL}); Ctrl-C ends it")
            server = uvicorn.Server(uvicorn.Config(front, log_level="error", access_log=False))
            server.run(sockets=[door])


def _configured(teachers: str, preset: str, overrides: Sequence[str]) -> Config:
    """The configuration with the endpoints of a preset and the user's overrides on top."""
    from fledgling.core.layers import merge, parse_overrides
    from fledgling.teachers.building import preset_overrides

    layer = {} if teachers == "mock" else preset_overrides(teachers)
    return load_config(preset, overrides=merge(layer, parse_overrides(overrides)))


def _desk(
    config: Config,
    teachers: str,
    seed: int,
    *,
    log: Path | None,
    trust: Path | None = None,
    gold: Path | None = None,
) -> Desk:
    """The pool with its rule; what it lacks is said on stderr."""
    from fledgling.core.runtime import log_to_file
    from fledgling.models.loading import load_embedder
    from fledgling.teachers.aggregators.agreement import EmbeddingCache
    from fledgling.teachers.desk import open_desk

    section = config.teachers
    members = _members(config, teachers, seed)
    if log is not None:
        rules = section.service
        log_to_file(
            log, max_bytes=rules.log_bytes, backups=rules.log_backups, redact=members.redact
        )
    for note in members.notes:
        typer.echo(note, err=True)
    embed = EmbeddingCache(load_embedder().embed, section.pool.embeddings_kept)
    return open_desk(members, section, embed, trust=trust, gold=gold)


def _members(config: Config, teachers: str, seed: int) -> Members:
    """Mocks, or endpoints with the local personas behind them."""
    from fledgling.core.runtime import start
    from fledgling.models.loading import load_model
    from fledgling.teachers.building import Members, assemble
    from fledgling.teachers.mock import load_quiz, mock_pool
    from fledgling.teachers.redaction import Secrets

    section, machine = config.teachers, config.core
    runtime = start(device=machine.device, dtype=machine.dtype, threads=machine.threads, seed=seed)
    if teachers != "mock":
        return assemble(section, load_model(config.models, runtime), seed=seed)
    manners, size = section.mocks["service"], section.pool.max_teachers
    mocks = mock_pool(load_quiz(), *manners, size=size, seed=seed)
    return Members(tuple(mocks), (), (), Secrets())
