"""``fledgling store …``: looking after the file in which a learner keeps its facts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fledgling.core.errors import DataError

app = typer.Typer(no_args_is_help=True, help="Look after the file in which facts are kept.")


@app.callback()
def store() -> None:
    """Look after the file in which facts are kept."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The store.")],
    mend: Annotated[
        bool, typer.Option("--mend", help="Keep what reads well, drop the rest.")
    ] = False,
) -> None:
    """Tell what a damaged store has lost, and mend what can be mended."""
    from fledgling.facts import store_check  # torch comes with it: not for every command

    report = store_check.check(file)
    for finding in report.findings:
        typer.echo(f"{finding.place}: {finding.meaning}")
    typer.echo(f"{report.facts} facts and {report.adapters} adapters read well")
    if report.sound:
        return
    if not mend:
        raise DataError(f"{file} is damaged; --mend keeps what reads well and drops the rest")
    kept = store_check.mend(file)
    typer.echo(f"mended; the damaged file is kept as {kept}")
