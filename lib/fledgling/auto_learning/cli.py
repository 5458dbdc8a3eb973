"""`fledgling auto …`: outcomes in, a promoted model out, by hand or by the daemon."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from fledgling.core.errors import DataError
from fledgling.settings import Config, load_config

if TYPE_CHECKING:
    from fledgling.auto_learning.promotion.decisions import Decision
    from fledgling.auto_learning.workshop import LocalWorkshop
    from fledgling.auto_learning.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True, help="Turn outcomes into a better model, promoted only when it is one."
)

Master = Annotated[str, typer.Argument(help="The task family.")]
Folder = Annotated[
    str, typer.Option("--folder", help="The workspace; default auto_learning.folder.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a configuration value; repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Seed = Annotated[int, typer.Option(help="Seed of the training.")]


@app.command()
def status(
    master: Annotated[str, typer.Argument(help="The task family; default all.")] = "",
    folder: Folder = "",
    set_: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Who serves, and how far it is to the next fine-tune: percent, tokens, time, cost."""
    from fledgling.auto_learning import work
    from fledgling.auto_learning.tables import status_table

    with _workspace(folder, set_) as (workspace, config):
        section = config.auto_learning
        names = [master] if master else work.masters(workspace, section)
        found = [work.status(workspace, section, name) for name in names]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    if not found:
        typer.echo(f"no outcome yet; put JSONL files into {workspace.inbox}")
    for one in found:
        Console().print(status_table(one, section.readiness.examples))


@app.command()
def areas(
    master: Annotated[str, typer.Argument(help="The task family.")],
    folder: Folder = "",
    set_: Overrides = None,
    count: Annotated[int, typer.Option(min=1, help="Tasks to list, at most.")] = 10,
) -> None:
    """Where more examples help most, and the tasks there that a person should rate."""
    from fledgling.auto_learning.areas import edge_cases, next_areas

    with _workspace(folder, set_) as (workspace, config):
        section = config.auto_learning
        for area in next_areas(workspace, section, master):
            typer.echo(area.name)
        for row in edge_cases(workspace, section, master, count=count).itertuples():
            typer.echo(f"  rate {row.task_id} ({row.area})")


@app.command()
def lineage(
    model: Annotated[str, typer.Argument(help="A registered model.")],
    folder: Folder = "",
    set_: Overrides = None,
) -> None:
    """A model and what it was trained from, up to the base."""
    from fledgling.auto_learning.registry import Registry

    with _workspace(folder, set_) as (workspace, _):
        for each in Registry(workspace).lineage(model):
            made_of = each.data_hash[:12] or "as it came"
            typer.echo(f"{each.id}  {each.created}  {made_of}")


@app.command()
def collect(folder: Folder = "", set_: Overrides = None, as_json: AsJson = False) -> None:
    """Take what lies in the inbox through all layers, and say what was kept and why not."""
    from fledgling.auto_learning.medallion import pipeline

    with _workspace(folder, set_, create=True) as (workspace, config):
        done = pipeline.run(workspace, config.auto_learning, datetime.now(UTC))
        report = pipeline.collected(workspace, config.auto_learning)
        rows = pipeline.rows(workspace)
    if as_json:
        typer.echo(json.dumps({**asdict(done), **report, "rows": rows}, indent=2))
        return
    if done.mended:
        typer.echo(done.mended)
    if done.new_fields:
        typer.echo(f"senders have begun to send {', '.join(done.new_fields)}; not read")
    typer.echo(f"received {done.received} lines, quarantined {rows['quarantine']} in all")
    typer.echo(f"tasks processed: {report['processed']}")
    typer.echo(
        f"of high quality: {report['high_quality']} ({report['training']} to train on,"
        f" {report['validation']} to validate)"
    )
    for reason, number in report["rejected"].items():
        typer.echo(f"  {reason}: {number}")


@app.command()
def trigger(
    master: Master,
    hosted: Annotated[
        bool, typer.Option("--hosted", help="Only write the chat file for a hosted service.")
    ] = False,
    preset: Annotated[str, typer.Option(help="Size preset of the configuration.")] = "quick",
    seed: Seed = 0,
    folder: Folder = "",
    set_: Overrides = None,
) -> None:
    """Fine-tune on a master's examples, never twice on the same; measure and register the model."""
    from fledgling.auto_learning.fine_tuning import export_hosted, fine_tune
    from fledgling.auto_learning.readiness import check_ready
    from fledgling.auto_learning.registry import Registry

    with _workspace(folder, set_, preset) as (workspace, config):
        section, now = config.auto_learning, datetime.now(UTC)
        if hosted:
            typer.echo(
                f"written and checked, not sent: {export_hosted(workspace, section, master)}"
            )
            return
        check_ready(workspace, section, master)  # said before a model is loaded
        workshop = _workshop(config, seed)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("training", total=None)
            for step in fine_tune(workspace, section, master, workshop.train, now):
                progress.update(bar, advance=1, description=step.event)
        registry = Registry(workspace)
        champion, model = registry.start(master, now), registry.get(step.name)
        registry.measured(model.id, workshop.measure(workspace, model, champion))
        model = registry.get(model.id)
    for name, value in model.metrics.items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"registered {model.id}; next: fledgling auto deploy {model.id}")


@app.command()
def deploy(
    model: Annotated[str, typer.Argument(help="A registered model.")],
    folder: Folder = "",
    set_: Overrides = None,
) -> None:
    """Let a model serve beside its master's champion, for a small share of the traffic at first."""
    from fledgling.auto_learning import rollout

    with _workspace(folder, set_) as (workspace, config):
        test = rollout.deploy(workspace, config.auto_learning, model, datetime.now(UTC))
    typer.echo(
        f"test {test.id}: {test.champion} {1 - test.share:.0%}, {test.challenger} {test.share:.0%}"
    )


@app.command()
def check(
    master: Annotated[str, typer.Argument(help="The task family; default all.")] = "",
    replay: Annotated[int, typer.Option(help="Compute a decision again from its record.")] = 0,
    folder: Folder = "",
    set_: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Decide on a challenger from the evidence so far, and act on it."""
    from fledgling.auto_learning import rollout, work
    from fledgling.auto_learning.promotion import decisions

    with _workspace(folder, set_) as (workspace, config):
        section = config.auto_learning
        if replay:
            again = decisions.replay(workspace, section, replay)
            _show(again.decision, as_json)
            if not again.same:
                raise DataError(
                    f"decision {replay} comes out otherwise: " + "; ".join(again.differences)
                )
            typer.echo(f"decision {replay} comes out the same", err=as_json)
            return
        names = [master] if master else work.masters(workspace, section)
        if not names:
            typer.echo("no master has a model or an outcome yet", err=as_json)
        found = [rollout.check(workspace, section, name, datetime.now(UTC)) for name in names]
    for name, decision in zip(names, found, strict=True):
        if decision is None:
            typer.echo(f"{name}: no challenger under test", err=as_json)
        else:
            _show(decision, as_json)


@app.command()
def promote(
    master: Master,
    by_hand: Annotated[str, typer.Option("--by-hand", help="Why, against the gate.")] = "",
    folder: Folder = "",
    set_: Overrides = None,
) -> None:
    """Make the challenger champion on your own word. The gate promotes by itself."""
    from fledgling.auto_learning import rollout

    with _workspace(folder, set_) as (workspace, _):
        model = rollout.promote(workspace, master, datetime.now(UTC), by_hand=by_hand)
    typer.echo(f"{model.id} is the champion of {master}")


@app.command()
def rollback(master: Master, folder: Folder = "", set_: Overrides = None) -> None:
    """Take the challenger out of the traffic; without one, put the champion before back."""
    from fledgling.auto_learning import rollout

    with _workspace(folder, set_) as (workspace, _):
        model = rollout.roll_back(workspace, master, datetime.now(UTC))
    typer.echo(f"{model.id} serves {master}")


@app.command()
def events(
    last: Annotated[int, typer.Option(help="How many, newest last; 0 for all.")] = 20,
    kind: Annotated[str, typer.Option(help="Only events of this name.")] = "",
    folder: Folder = "",
    set_: Overrides = None,
) -> None:
    """What happened, one JSON object a line."""
    from fledgling.auto_learning.events import events as read

    with _workspace(folder, set_) as (workspace, _):
        for event in read(workspace, last=last, kind=kind):
            typer.echo(json.dumps(event, ensure_ascii=False))


@app.command()
def daemon(
    compress: Annotated[
        float, typer.Option(min=1, help="How much faster than real its clock runs, to show it.")
    ] = 1.0,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Simulated users and models, to show it.")
    ] = False,
    preset: Annotated[str, typer.Option(help="Size preset of the configuration.")] = "quick",
    seed: Seed = 0,
    folder: Folder = "",
    set_: Overrides = None,
) -> None:
    """Do all of it by the clock until stopped."""
    from fledgling.auto_learning.clock import Clock
    from fledgling.auto_learning.daemon import Daemon
    from fledgling.auto_learning.stand_ins import simulated

    config = load_config(preset, overrides=set_ or ())
    section = config.auto_learning
    path = _folder(folder, config)
    clock = Clock(speed=compress)
    if simulate:
        open_workshop, jobs = simulated(section, clock, seed)
    else:
        open_workshop, jobs = (lambda: nullcontext(_workshop(config, seed))), ()
    working = Daemon(path, section, open_workshop, clock=clock, more=jobs)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: working.stop.set())
    typer.echo(f"workspace {path}, told of in its events.jsonl; Ctrl-C stops", err=True)
    working.run()


@contextmanager
def _workspace(
    folder: str, overrides: list[str] | None, preset: str = "quick", *, create: bool = False
) -> Iterator[tuple[Workspace, Config]]:
    from fledgling.auto_learning.workspace import Workspace

    config = load_config(preset, overrides=overrides or ())
    path = _folder(folder, config)
    if not create and not path.is_dir():
        raise DataError(f"there is no workspace in {path}; `fledgling auto collect` makes one")
    with Workspace.open(path) as workspace:
        yield workspace, config


def _folder(folder: str, config: Config) -> Path:
    from fledgling.auto_learning.workspace import default_folder

    return Path(folder or config.auto_learning.folder or default_folder()).expanduser()


def _workshop(config: Config, seed: int) -> LocalWorkshop:
    from fledgling.auto_learning.workshop import LocalWorkshop
    from fledgling.core.runtime import start
    from fledgling.models.loading import load_model

    core = config.core
    runtime = start(device=core.device, dtype=core.dtype, threads=core.threads, seed=seed)
    return LocalWorkshop(load_model(config.models, runtime), config.auto_learning, seed)


def _show(decision: Decision, as_json: bool) -> None:
    from fledgling.auto_learning.tables import decision_table

    if as_json:
        typer.echo(json.dumps({**asdict(decision)}, indent=2))
        return
    Console().print(decision_table(decision))
    typer.echo(escape(decision.reason))
    numbers = decision.numbers
    if numbers:
        typer.echo(
            f"difference in score between {numbers['low']:+.3f} and {numbers['high']:+.3f};"
            f" the documented rule would {'promote' if numbers['documented_rule'] else 'wait'}"
        )
