"""``fledgling serve``: a read-only look at a store, on 127.0.0.1."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

import typer

from fledgling.core.errors import RunError

app = typer.Typer()


@app.command()
def serve(
    store: Annotated[Path, typer.Argument(help="The store.")],
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 = any free one; memory.port by default.")
    ] = None,
    adapters: Annotated[Path | None, typer.Option(help="The trainer's folder.")] = None,
) -> None:
    """Show a store's buffer, facts, tiers, router and adapters over HTTP, read-only."""
    import uvicorn

    from fledgling.memory.introspection import HOST, build_app, look
    from fledgling.settings import load_config

    section = load_config().memory
    look(store, adapters, section.router.name)  # a store that cannot be read is said now
    wanted = section.port if port is None else port
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, wanted))
        listening.listen()  # who connects before the server runs waits, and is not refused
    except OSError as error:
        listening.close()
        raise RunError(
            f"port {wanted} on {HOST} cannot be had ({error.strerror}); give another by --port"
        ) from error
    typer.echo(f"http://{HOST}:{listening.getsockname()[1]}/introspect")
    application = build_app(store, adapters=adapters, router=section.router.name)
    config = uvicorn.Config(application, log_level="warning", server_header=False)
    with listening:
        uvicorn.Server(config).run(sockets=[listening])
