"""The command line: ``fledgling report | sweep | results | models | …``. Each package keeps its
commands in its own ``cli.py``; they are mounted here.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from types import FrameType

import typer

from fledgling.core.errors import FledglingError

# Package → the name of its group of commands; empty: they stand beside ``report`` itself.
COMMANDS = {
    "reports": "",
    "live": "",
    "facts": "store",
    "tasks": "tasks",
    "feedback": "",
    "memory": "",
    "auto_learning": "auto",
    "teachers": "teachers",
    "models": "models",
}
# Signals that end a command in good order; Windows has no SIGHUP.
_ENDING = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
_STOPPED = {128 + number for number in (signal.SIGINT, *_ENDING)}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Teach small language models while they are used, and report what came of it.",
)
for package, group in COMMANDS.items():
    if find_spec(f"fledgling.{package}") and find_spec(f"fledgling.{package}.cli"):
        app.add_typer(import_module(f"fledgling.{package}.cli").app, name=group or None)


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


def stop(number: int, _: FrameType | None) -> None:
    """End as Ctrl-C does: what runs is ended too, and nothing half-written is left."""
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. An error meant for the user is one message on stderr and exit code 1; Ctrl-C
    is 130, a signal 128 and its number.
    """
    for number in _ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup has it ignored
            signal.signal(number, stop)
    try:
        app(join_parameters(sys.argv[1:] if arguments is None else arguments))
    except FledglingError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except SystemExit as stopped:
        if stopped.code in _STOPPED:
            typer.echo(
                "interrupted; what was running is discarded, what had finished is kept", err=True
            )
        raise
