"""A read-only look at a store over HTTP, on 127.0.0.1 alone: ``/introspect``, ``/health``,
``/metrics`` (Prometheus text), ``/openapi.json`` and ``/docs``, a page that needs no network.

The store is opened for reading only, afresh for each request. What names another host in its Host
header is refused, so that no web page can reach it through a name of its own (DNS rebinding).
"""

from __future__ import annotations

import html
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.middleware.trustedhost import TrustedHostMiddleware

from fledgling.core.errors import DataError
from fledgling.feedback.background import current_adapter

HOST = "127.0.0.1"
ALLOWED = [HOST, "localhost"]


class Qlora(BaseModel):
    """The feedback buffer and its trainings."""

    buffer_size: int = 0
    positive_examples: int = 0
    negative_examples: int = 0
    corrections_pending: int = 0
    last_training: str | None = None
    total_trained: int = 0
    processed: int = 0
    implicit: int = 0
    explicit: int = 0


class Tiers(BaseModel):
    """Corrections by where they are: in the prompt, in weights, or replaced."""

    live: int = 0
    consolidated: int = 0
    superseded: int = 0


class Facts(BaseModel):
    """Facts remembered, and of them those that weights hold."""

    remembered: int = 0
    trained: int = 0


class State(BaseModel):
    """All that there is to see."""

    qlora: Qlora
    facts: Facts
    tiers: Tiers
    router: str
    adapter: str | None
    adapters: list[str]


class Health(BaseModel):
    """``ok``, and since how many seconds."""

    status: str
    seconds: float


def look(store: Path, adapters: Path | None, router: str) -> State:
    """Read a store and a folder of adapters; tables that a store does not have count as empty.

    Raises ``DataError`` when the store cannot be read.
    """
    try:
        with closing(_read_only(store)) as connection:
            qlora, facts, tiers = _qlora(connection), _facts(connection), _tiers(connection)
    except sqlite3.Error as error:
        raise DataError(f"the store {store} cannot be read: {error}") from error
    current = current_adapter(adapters) if adapters else None
    names = sorted(one.name for one in adapters.glob("adapter-*")) if adapters else []
    return State(
        qlora=qlora,
        facts=facts,
        tiers=tiers,
        router=router,
        adapter=current.name if current else None,
        adapters=names,
    )


def _read_only(store: Path) -> sqlite3.Connection:
    if not store.is_file():
        raise DataError(f"{store} does not exist; give the file of a store")
    connection = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    connection.row_factory = sqlite3.Row
    return connection


def _has(connection: sqlite3.Connection, table: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None


def _qlora(connection: sqlite3.Connection) -> Qlora:
    if not _has(connection, "feedback"):
        return Qlora()
    run = connection.execute
    held = {row[0]: row[1] for row in run("SELECT label, count(*) FROM feedback GROUP BY label")}
    ever = {row[0]: row[1] for row in run("SELECT name, value FROM feedback_counters")}
    waiting = run(
        "SELECT count(*) FROM feedback WHERE label = 'correction' AND training = ''"
    ).fetchone()[0]
    last = run("SELECT max(finished) FROM feedback_trainings").fetchone()[0]
    return Qlora(
        buffer_size=sum(held.values()),
        positive_examples=held.get("positive", 0),
        negative_examples=held.get("negative", 0) + held.get("correction", 0),
        corrections_pending=waiting,
        last_training=last,
        total_trained=ever["trained"],
        processed=ever["processed"],
        implicit=ever["implicit"],
        explicit=ever["explicit"],
    )


def _facts(connection: sqlite3.Connection) -> Facts:
    if not _has(connection, "facts"):
        return Facts()
    row = connection.execute("SELECT count(*), coalesce(sum(trained), 0) FROM facts").fetchone()
    return Facts(remembered=row[0], trained=row[1])


def _tiers(connection: sqlite3.Connection) -> Tiers:
    if not _has(connection, "corrections"):
        return Tiers()
    row = connection.execute(
        "SELECT coalesce(sum(superseded IS NULL AND NOT consolidated), 0),"
        " coalesce(sum(superseded IS NULL AND consolidated), 0),"
        " coalesce(sum(superseded IS NOT NULL), 0) FROM corrections"
    ).fetchone()
    return Tiers(live=row[0], consolidated=row[1], superseded=row[2])


def prometheus(state: State) -> str:
    """The numbers of a state in Prometheus' text format."""
    lines = []
    for group in ("qlora", "facts", "tiers"):
        for name, value in getattr(state, group).model_dump().items():
            if isinstance(value, int):
                full = f"fledgling_{group}_{name}"
                lines += [f"# TYPE {full} gauge", f"{full} {value}"]
    lines += ["# TYPE fledgling_adapters gauge", f"fledgling_adapters {len(state.adapters)}"]
    return "\n".join(lines) + "\n"


def build_app(store: Path, *, adapters: Path | None, router: str) -> FastAPI:
    """The application; it answers GET on five paths and nothing else."""
    app = FastAPI(title="Fledgling", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=ALLOWED)
    started = time.monotonic()

    @app.exception_handler(DataError)
    def unreadable(_: Any, error: DataError) -> PlainTextResponse:
        return PlainTextResponse(f"{error}\n", status_code=503)

    @app.get("/introspect")
    def introspect() -> State:
        """Buffer, training, facts, tiers, router, adapters."""
        return look(store, adapters, router)

    @app.get("/health")
    def health() -> Health:
        """Whether the store can be read."""
        look(store, adapters, router)
        return Health(status="ok", seconds=time.monotonic() - started)

    @app.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        """The same numbers as Prometheus text."""
        return prometheus(look(store, adapters, router))

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    def docs() -> str:
        """What there is to ask, in words."""
        return documentation(app.openapi())

    return app


def documentation(schema: dict[str, Any]) -> str:
    """An OpenAPI description as a page without scripts."""
    rows = [
        f"<dt><a href='{html.escape(path)}'><code>GET {html.escape(path)}</code></a></dt>"
        f"<dd>{html.escape(methods['get'].get('description', ''))}</dd>"
        for path, methods in schema["paths"].items()
    ]
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Fledgling</title>"
        f"<h1>Fledgling</h1><p>Read-only. The whole description:"
        f" <a href='/openapi.json'>openapi.json</a></p><dl>{''.join(rows)}</dl></html>"
    )
