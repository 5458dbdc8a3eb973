"""``fledgling chat``: talk to a model and teach it, in the terminal; ``fledgling consolidate``: one
set of weights for all that a session was told.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from fledgling.core.paths import home, plain_name
from fledgling.settings import DEFAULT_MODEL, DEFAULT_RECIPE, MERGED_RECIPE, load_config

if TYPE_CHECKING:
    from fledgling.live.session import Session

app = typer.Typer()

_Session = Annotated[
    str, typer.Option("--session", "-s", help="Its name; or a folder, with a / in it.")
]
_Model = Annotated[str, typer.Option(help="A file of configs/models.")]
_Preset = Annotated[str, typer.Option(help="A file of configs/presets.")]


@app.command()
def chat(
    session: _Session = "default",
    recipe: Annotated[str, typer.Option(help="How to learn: a file of configs/recipes.")] = "",
    model: _Model = DEFAULT_MODEL,
    preset: _Preset = "full",
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0,
    plain: Annotated[
        bool, typer.Option("--plain", help="No styles and no prompt; one line in, one line out.")
    ] = False,
    temporary: Annotated[bool, typer.Option("--temporary", help="Keep nothing.")] = False,
) -> None:
    """Talk to a model; what you tell it, it learns. /help lists what else it does."""
    from fledgling.live.chat import Chat, typed_lines  # torch comes with it

    is_plain = plain or not sys.stdin.isatty()
    folder = None if temporary else session_folder(session)
    opened = open_session(folder, recipe or DEFAULT_RECIPE, model, preset, seed=seed)
    console = Console(highlight=False, soft_wrap=True, no_color=is_plain or None)
    talk = Chat(opened, console, is_plain=is_plain)
    try:
        if is_plain:
            talk.run(iter(sys.stdin))
        else:
            console.print("[dim]Tell it something, ask about it. /help lists the rest.[/dim]")
            talk.run(typed_lines(list(talk.commands), opened.stores.history))
    finally:
        if opened.worker.busy:
            typer.echo("finishing the lesson…", err=True)
        opened.close()
    if is_plain and talk.failed:
        raise typer.Exit(1)


@app.command()
def consolidate(
    session: _Session = "default",
    recipe: Annotated[str, typer.Option(help="The recipe it was told with.")] = "",
    model: _Model = DEFAULT_MODEL,
    preset: _Preset = "full",
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the last consolidation back instead.")
    ] = False,
) -> None:
    """Fold what a session was told into one, whose size does not grow.

    Where facts have no weights of their own, they are told to the recipe consolidated first, which
    keeps them beside it.
    """
    from rich.progress import Progress

    from fledgling.core.errors import DataError
    from fledgling.facts.consolidation import consolidate as merge
    from fledgling.facts.consolidation import retell, take_back

    folder = session_folder(session)
    if not folder.is_dir():
        raise DataError(f"there is no session {session!r}; fledgling chat -s {session} begins one")
    opened = open_session(folder, recipe or DEFAULT_RECIPE, model, preset)
    try:
        opened.worker.wait()
        facts = [] if opened.merges else opened.learner.memory.all()
        if not opened.merges:
            opened.use(MERGED_RECIPE)
        with opened.classroom.settled() as learner:
            if undo:
                take_back(learner)
                typer.echo("taken back: each fact has its own weights again")
                return
            with Progress(transient=True) as progress:
                if facts:
                    task = progress.add_task("learning", total=len(facts))
                    for record in retell(learner, facts):
                        if record.event in ("remembered", "given_up"):
                            progress.advance(task)
                task = progress.add_task("merging", total=None)
                for record in merge(learner):
                    if record.event == "merging":
                        values = record.values
                        progress.update(task, completed=values["done"], total=values["of"])
        if record.event == "refused":
            raise DataError(f"nothing was changed: {record.values['reason']}")
        told, size = record.values["facts"], record.values["bytes"] / 1e6
        what = "prefix" if learner.facts.learning.placement == "prefix" else "adapter"
        typer.echo(
            f"{told} {'fact is' if told == 1 else 'facts are'} in one {what} of {size:.1f} MB"
            f" ({record.values['seconds']:.0f} s); --undo takes it back until you tell it more"
        )
        if facts:
            typer.echo(f"it answers in: fledgling chat -s {session} --recipe {opened.recipe}")
    finally:
        opened.close()


def session_folder(name: str) -> Path:
    """Where a session is kept: a folder as it is, or a name among the user's sessions."""
    if "/" in name or "\\" in name:
        return Path(name).expanduser()
    return home() / "sessions" / plain_name(name, "session")


def open_session(
    folder: Path | None, recipe: str, model: str, preset: str, *, seed: int = 0
) -> Session:
    """A session on a real model, with every recipe of the menu and ``recipe``."""
    from fledgling.core import runtime
    from fledgling.facts.learner import load_gate_readers
    from fledgling.live.session import Session
    from fledgling.models.loading import load_model

    config = load_config(preset, recipe=recipe, model=model)
    names = dict.fromkeys([recipe, *config.live.recipes, MERGED_RECIPE])
    recipes = {name: load_config(preset, recipe=name, model=model).facts for name in names}
    started = runtime.start(
        device=config.core.device, dtype=config.core.dtype, threads=config.core.threads, seed=seed
    )
    return Session(
        load_model(config.models, started),
        recipes,
        config.language,
        config.live,
        readers=load_gate_readers(),
        folder=folder,
        recipe=recipe,
        seed=seed,
    )
