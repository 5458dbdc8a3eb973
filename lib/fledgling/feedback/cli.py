"""``fledgling train``, ``fledgling export``, ``fledgling feedback import | export``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fledgling.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fledgling.core.records import StepRecord
    from fledgling.feedback.rows import TrainingRows
    from fledgling.settings import Config

app = typer.Typer(no_args_is_help=True)
feedback = typer.Typer(no_args_is_help=True, help="Feedback in and out of a store.")
app.add_typer(feedback, name="feedback")

_MODEL = Annotated[str, typer.Option(help="A model of configs/models.")]
_SET = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one value.")
]


def _configured(model: str, changes: list[str] | None, preset: str = "full") -> Config:
    from fledgling.settings import load_config

    return load_config(preset, model=model, overrides=changes or [])


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="JSONL or JSON: native, Alpaca, pairs or chat.")],
    out: Annotated[Path, typer.Option(help="Folder of the adapter.")] = Path("adapter"),
    start: Annotated[Path | None, typer.Option(help="An adapter to go on from.")] = None,
    model: _MODEL = "smollm2-135m",
    seed: Annotated[int, typer.Option(help="Of weights and batches.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is needed.")] = False,
    set_: _SET = None,
) -> None:
    """Train an adapter on feedback: examples by imitation, corrections by preference. Killed at any
    moment, the same command goes on from where it was.
    """
    from fledgling.feedback.taking_in import read_training_rows

    config = _configured(model, set_)
    rows, refused = read_training_rows(data, config.feedback.buffer.max_record_bytes)
    for one in refused:
        typer.echo(f"{data} line {one.line} left out: {one.reason}", err=True)
    if not rows.examples and not rows.pairs:
        raise DataError(
            f"{data} holds nothing to train on: neither a liked reply nor a correction; a record"
            ' looks like {"query": …, "bad_response": …, "correction": …}'
        )
    console = Console(stderr=True)
    console.print(
        f"{len(rows.examples)} examples, {len(rows.pairs)} pairs, {len(rows.bad)} replies only bad;"
        f" {len(refused)} records left out"
    )
    _say_memory(config, console)
    if not dry_run:
        _train(config, rows, out, start, seed, console)


def _say_memory(config: Config, console: Console) -> None:
    from fledgling.core.runtime import resolve_device, resolve_dtype
    from fledgling.feedback.memory_needed import memory_needed
    from fledgling.feedback.trl_parts import optimizer_name

    device = resolve_device(config.core.device)
    optimizer = optimizer_name(config.feedback.training.optimizer, device)
    need = memory_needed(
        config.models,
        config.feedback.training,
        resolve_dtype(config.core.dtype, device),
        eight_bit="8bit" in optimizer,
    )
    shape = "" if need.shape_known else " (usual shape of its family; it is not on this machine)"
    console.print(
        f"{config.models.id}: {need.parameters:,} parameters{shape}, {need.trained:,} trained by"
        f" {optimizer} on {device}"
    )
    console.print(
        f"memory about {need.total_mb:,.0f} MB: base {need.base_mb:,.0f}, adapter and optimiser"
        f" {need.adapter_mb:,.0f}, activations {need.activations_mb:,.0f}"
    )


def _train(
    config: Config,
    rows: TrainingRows,
    out: Path,
    start: Path | None,
    seed: int,
    console: Console,
) -> None:
    from fledgling.core.runtime import start as start_runtime
    from fledgling.feedback.figures import plot_training
    from fledgling.feedback.preferences import teach
    from fledgling.models.loading import load_model

    core, section = config.core, config.feedback
    runtime = start_runtime(device=core.device, dtype=core.dtype, threads=core.threads, seed=seed)
    loaded = load_model(config.models, runtime)
    steps = teach(
        loaded, rows, section.training, section.preferences, folder=out, seed=seed, start=start
    )
    try:
        records = list(_shown(steps, console))
    except (KeyboardInterrupt, SystemExit):
        console.print("the same command goes on from the last checkpoint")
        raise
    updates = [record for record in records if record.event == "update"]
    if updates:
        plot_training(updates).savefig(out / "loss.png", dpi=120)
        last = updates[-1].values
        console.print(
            f"{last['tokens_per_second']:.0f} tokens/s, peak memory {last['peak_memory_mb']:.0f} MB"
        )
    typer.echo(f"the adapter is in {out}")


def _shown(steps: Iterator[StepRecord], console: Console) -> Iterator[StepRecord]:
    """The records as they come, with a bar a phase."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}  loss {task.fields[loss]:.3f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, int] = {}
        for record in steps:
            if record.event == "update":
                _advance(progress, tasks, record)
            yield record


def _advance(progress: Progress, tasks: dict[str, int], record: StepRecord) -> None:
    if record.name not in tasks:
        total = record.values["of"]
        tasks[record.name] = progress.add_task(record.name, total=total, loss=0.0)
    progress.update(tasks[record.name], completed=record.step, loss=record.values["loss"])


@app.command()
def export(
    adapter: Annotated[Path, typer.Argument(help="A PEFT folder.")],
    out: Annotated[Path, typer.Argument(help="A new folder for what is exported.")],
    form: Annotated[
        list[str] | None, typer.Option(help="f16, q8_0 or q4_0; may be repeated; all by default.")
    ] = None,
    model: _MODEL = "smollm2-135m",
    set_: _SET = None,
) -> None:
    """Merge an adapter into its 16-bit base and write GGUF files, each verified."""
    from fledgling.facts.measuring.anchors import held_in
    from fledgling.models.export import export as export_model
    from fledgling.models.gguf_files import FORMS

    config = _configured(model, set_)
    texts = held_in()[: config.feedback.export.texts]
    table = Table("hop", "same top token", "KL, nats", "same ids", "MB", "tensors")
    for hop in export_model(config.models, adapter, out, form or list(FORMS), texts):
        kinds = ", ".join(f"{count} {kind}" for kind, count in hop.types.items())
        numbers = (f"{hop.top1:.4f}", f"{hop.kl:.2e}", f"{hop.same_ids:.3f}")
        table.add_row(hop.name, *numbers, f"{hop.bytes / 1e6:.1f}", kinds)
    Console().print(table)
    typer.echo(f"exported to {out}")


@feedback.command("import")
def import_records(
    store: Annotated[Path, typer.Argument(help="The store.")],
    data: Annotated[Path, typer.Argument(help="JSONL or JSON in the native form.")],
) -> None:
    """Take feedback from a file into a store's buffer; what cannot be used is named by line."""
    from fledgling.feedback.buffer import FeedbackBuffer
    from fledgling.feedback.taking_in import import_into

    section = _configured("smollm2-135m", None).feedback.buffer
    buffer = FeedbackBuffer(store, section)
    try:
        taken, refused = import_into(buffer, data)
        for one in refused:
            typer.echo(f"{data} line {one.line} left out: {one.reason}", err=True)
        typer.echo(f"{taken} taken in, {len(refused)} left out; {buffer.counters().size} kept")
    finally:
        buffer.close()


@feedback.command("export")
def export_records(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    form: Annotated[str, typer.Option(help="native, alpaca, pairs or chat.")] = "native",
) -> None:
    """Write a store's buffer in one of the forms, whole or not at all."""
    from fledgling.feedback.buffer import FeedbackBuffer
    from fledgling.feedback.exchange import write_entries

    section = _configured("smollm2-135m", None).feedback.buffer
    buffer = FeedbackBuffer(store, section)
    try:
        count = write_entries(out, buffer.entries(), form, instruction=section.instruction)
    finally:
        buffer.close()
    typer.echo(f"{count} records in {out}")


@feedback.command("read")
def read_conversations(
    store: Annotated[Path, typer.Argument(help="The store.")],
    data: Annotated[Path, typer.Argument(help="JSONL of conversations: messages, as chats go.")],
) -> None:
    """Judge every next turn of conversations and keep what it says of the reply before it."""
    from fledgling.feedback.buffer import FeedbackBuffer
    from fledgling.feedback.judging.judge import Judge
    from fledgling.feedback.listening import hear_all
    from fledgling.models.loading import load_embedder

    config = _configured("smollm2-135m", None)
    section = config.feedback
    reader = Judge(load_embedder(), section.signals, config.language)
    buffer = FeedbackBuffer(store, section.buffer)
    try:
        heard, refused = hear_all(reader, buffer, data)
        for one in refused:
            typer.echo(f"{data} line {one.line} left out: {one.reason}", err=True)
        counts = buffer.counters()
    finally:
        buffer.close()
    typer.echo(
        f"{heard} reactions read, {len(refused)} conversations left out; kept {counts.positive}"
        f" positive, {counts.negative} negative ({counts.corrections} corrections),"
        f" {counts.neutral} neutral"
    )


@feedback.command("watch")
def watch(
    store: Annotated[Path, typer.Argument(help="The store.")],
    adapters: Annotated[Path, typer.Argument(help="Folder of the adapters.")],
    model: _MODEL = "smollm2-135m",
    now: Annotated[bool, typer.Option("--now", help="Train what is pending, then end.")] = False,
    set_: _SET = None,
) -> None:
    """Train in the background whenever enough has come into a store, until Ctrl-C."""
    from fledgling.core.runtime import start as start_runtime
    from fledgling.feedback.background import BackgroundTrainer, train_pending
    from fledgling.feedback.buffer import FeedbackBuffer
    from fledgling.feedback.triggers import Floor
    from fledgling.models.loading import load_model

    config = _configured(model, set_)
    core, section = config.core, config.feedback
    runtime = start_runtime(device=core.device, dtype=core.dtype, threads=core.threads)
    loaded, buffer = load_model(config.models, runtime), FeedbackBuffer(store, section.buffer)
    console = Console(stderr=True)
    try:
        if now:
            steps = train_pending(loaded, buffer, section, folder=adapters)
            made = [one.name for one in _shown(steps, console) if one.event == "done"]
            typer.echo(f"the adapter is in {made[-1]}" if made else "nothing is pending")
            return
        trainer = BackgroundTrainer(
            loaded,
            buffer,
            section,
            folder=adapters,
            floor=Floor(),
            ready=lambda folder: typer.echo(f"serving {folder}"),
        )
        with trainer:
            typer.echo(f"looking every {section.triggers.look_seconds:g} s; Ctrl-C ends")
            threading.Event().wait()
    finally:
        buffer.close()
