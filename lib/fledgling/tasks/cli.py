"""`fledgling tasks train`: one model of all tasks, trained as configured and saved; on several
processes under ``torchrun`` or ``accelerate launch``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fledgling.settings import load_config

app = typer.Typer(no_args_is_help=True, help="Several tasks in one model.")


@app.callback()
def several() -> None:
    """Several tasks in one model."""


@app.command()
def train(
    out: Annotated[Path, typer.Argument(help="Folder for the model, its records and settings.")],
    preset: Annotated[str, typer.Option(help="Size preset of the configuration.")] = "quick",
    seed: Annotated[int, typer.Option(help="Of the items held out, weights and batches.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override one configuration value; may be repeated."
        ),
    ] = None,
) -> None:
    """Train one model of all tasks and save it. The same losses on one process and on several:

    torchrun --nproc-per-node 2 -m fledgling tasks train OUT
    """
    from fledgling.core.run_store import RunStore
    from fledgling.core.runtime import start
    from fledgling.tasks.store import save_model
    from fledgling.tasks.study import load_base, prepare_study

    config = load_config(preset, overrides=set_ or [])
    runtime = start(device=config.core.device, threads=_threads(config.core.threads), seed=seed)
    base = load_base(config.tasks, config.models, runtime)
    study = prepare_study(config.tasks, seed=seed, device=runtime.device, base=base)
    trainer = study.trainer()
    # Files and words are the first process's: the others would only write the same again.
    main = trainer.processes.rank == 0
    run = RunStore.open(str(out), "tasks", config) if main else None
    table = Table("updates", *(f"{task}: accuracy" for task in trainer.tasks))
    for record in trainer.train():
        if run is not None:
            run.append(record.to_step())
            table.add_row(str(record.updates), *(f"{one:.3f}" for one in record.accuracy.values()))
    if run is not None:
        save_model(trainer.model, out)
        Console().print(table, f"on unseen items; the model is in {out}")


def _threads(configured: int) -> int:
    """Threads of this process, 0 for all cores: processes side by side share them out, since two
    that use all cores slow each other several times.
    """
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    shared = max(1, (os.cpu_count() or 1) // beside) if beside > 1 else 0
    return configured or shared
