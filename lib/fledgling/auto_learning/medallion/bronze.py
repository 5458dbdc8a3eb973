"""Bronze: every line as it was received, appended and never changed.

A file in the inbox may be whole or still growing: what ends in a line break is taken, from where
the last look stopped. A last line without one is taken as soon as it is a whole JSON object (an
object cut short never is); until then it waits.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from fledgling.auto_learning.medallion.ledger import BRONZE, Ledger, Part
from fledgling.auto_learning.settings import MedallionSection, RulesSection
from fledgling.core.database import transaction
from fledgling.core.files import write_atomically

log = logging.getLogger(__name__)

_HEAD_BYTES = 4096  # enough to tell a file that was replaced from one that grew
_NEWLINE = 10
_SHOWN_BYTES = 200  # of a line too long for a row


@dataclass(frozen=True)
class Block:
    """Whole lines of one inbox file, up to byte ``end``: their bytes, their sizes as received, and
    the file in which one too long for a row is kept.
    """

    lines: pa.Array
    sizes: np.ndarray
    kept: pa.Array
    end: int


def receive(
    inbox: Path, ledger: Ledger, medallion: MedallionSection, rules: RulesSection, now: datetime
) -> int:
    """Append what is new in the inbox to bronze; each part is one transaction. Returns the number
    of lines.
    """
    lines = 0
    for source in sorted(inbox.glob("*.jsonl")):
        for block in _new_blocks(source, ledger, medallion, rules):
            _append(source, block, ledger, now)
            lines += len(block.lines)
    return lines


def _append(source: Path, block: Block, ledger: Ledger, now: datetime) -> None:
    count, first = len(block.lines), ledger.next_row()
    day = now.date().isoformat()
    path = Path(BRONZE) / f"day={day}" / f"{uuid.uuid4().hex}.parquet"
    zeros = pa.array(np.zeros(count, np.int8))
    received = pa.array([now.replace(tzinfo=None)], pa.timestamp("us")).take(zeros)
    table = pa.table(
        {
            "row": np.arange(first, first + count, dtype=np.int64),
            "received": received,
            "source": pa.DictionaryArray.from_arrays(zeros, [source.name]),
            "size": block.sizes,
            "kept": block.kept,
            "line": block.lines,
        }
    )
    write_atomically(
        ledger.tables / path,
        lambda temporary: parquet.write_table(
            table, temporary, compression="zstd", compression_level=1, use_dictionary=["source"]
        ),
    )
    with transaction(ledger.store):
        ledger.add([Part(str(path), BRONZE, day, count, first)], pending=True)
        ledger.store.execute(
            "INSERT INTO sources (name, taken, head) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET taken = excluded.taken, head = excluded.head",
            (source.name, block.end, _head(source, block.end)),
        )


def _new_blocks(
    source: Path, ledger: Ledger, medallion: MedallionSection, rules: RulesSection
) -> Iterator[Block]:
    start = _taken(source, ledger)
    with source.open("rb") as file:
        while True:
            file.seek(start)
            data = file.read(medallion.part_bytes)
            whole = data.rfind(b"\n") + 1
            if whole:
                yield _block(data[:whole], start, rules, ledger.tables)
                start += whole
            elif len(data) < medallion.part_bytes:
                if _is_object(data) and len(data) <= rules.record_bytes:
                    yield _block(data, start, rules, ledger.tables)
                return
            else:
                length = _line_length(file, start, medallion.part_bytes)
                if length is None:
                    return
                yield _giant(source, start, length, medallion.part_bytes, ledger.tables)
                start += length


def _taken(source: Path, ledger: Ledger) -> int:
    """The byte up to which a file was received; 0 for one that is new or was replaced."""
    row = ledger.store.execute(
        "SELECT taken, head FROM sources WHERE name = ?", (source.name,)
    ).fetchone()
    if row is None:
        return 0
    if source.stat().st_size < row["taken"] or _head(source, row["taken"]) != row["head"]:
        log.warning("%s is another file than before; it is read from its start", source.name)
        return 0
    return int(row["taken"])


def _head(source: Path, taken: int) -> str:
    with source.open("rb") as file:
        return hashlib.sha256(file.read(min(taken, _HEAD_BYTES))).hexdigest()


def _is_object(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


def _block(data: bytes, start: int, rules: RulesSection, tables: Path) -> Block:
    """Lines as slices of one buffer: no Python object a line."""
    end = start + len(data)
    data = data.removeprefix(codecs.BOM_UTF8) if start == 0 else data
    breaks = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
    offsets = np.concatenate([[0], breaks])
    if offsets[-1] < len(data):
        offsets = np.append(offsets, len(data))
    sizes = np.diff(offsets)
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    lines = pa.BinaryArray.from_buffers(pa.binary(), len(sizes), buffers)
    kept: list[str | None] = [None] * len(sizes)
    long = np.flatnonzero(sizes > rules.record_bytes)
    if len(long):
        cut = lines.to_pylist()
        for place in long:
            kept[place] = _keep([cut[place]], tables)
            cut[place] = cut[place][:_SHOWN_BYTES]
        lines = pa.array(cut, pa.binary())
    return Block(lines, sizes, pa.array(kept, pa.string()), end)


def _line_length(file: BinaryIO, start: int, chunk: int) -> int | None:
    """Bytes of the line that begins at ``start``, its break included; None while it has none."""
    file.seek(start)
    length = 0
    while data := file.read(chunk):
        found = data.find(b"\n")
        if found >= 0:
            return length + found + 1
        length += len(data)
    return None


def _giant(source: Path, start: int, length: int, chunk: int, tables: Path) -> Block:
    """A line longer than a part, copied aside without ever being in memory as a whole."""
    kept = _keep(_slices(source, start, length, chunk), tables)
    with source.open("rb") as file:
        file.seek(start)
        shown = file.read(_SHOWN_BYTES)
    return Block(
        pa.array([shown], pa.binary()),
        np.array([length]),
        pa.array([kept], pa.string()),
        start + length,
    )


def _slices(source: Path, start: int, length: int, chunk: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(start)
        while length:
            data = file.read(min(chunk, length))
            length -= len(data)
            yield data


def _keep(pieces: Iterable[bytes], tables: Path) -> str:
    """Write a line that is too long for a row to a file of its own, named by its content."""
    digest = hashlib.sha256()

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)

    folder = tables / "too_long"
    arriving = folder / f"{uuid.uuid4().hex}.tmp"
    write_atomically(arriving, write)
    kept = folder / f"{digest.hexdigest()}.line"
    arriving.replace(kept)
    return str(kept.relative_to(tables))
