"""A file of feedback taken in: as what is trained on, or into a buffer."""

from __future__ import annotations

from pathlib import Path

from fledgling.core.records import Feedback
from fledgling.feedback.buffer import Entry, FeedbackBuffer, identity
from fledgling.feedback.examples import ChatExample, PreferencePair
from fledgling.feedback.exchange import Refused, read_records
from fledgling.feedback.rows import TrainingRows, rows_of


def read_training_rows(path: Path, max_record_bytes: int) -> tuple[TrainingRows, list[Refused]]:
    """What a file of any form teaches, and the records that were left out."""
    entries: list[Entry] = []
    examples: list[ChatExample] = []
    pairs: list[PreferencePair] = []
    refused: list[Refused] = []
    for record in read_records(path, max_record_bytes=max_record_bytes):
        if isinstance(record, Feedback):
            entries.append(Entry(identity(record), len(entries), record))
        elif isinstance(record, ChatExample):
            examples.append(record)
        elif isinstance(record, PreferencePair):
            pairs.append(record)
        else:
            refused.append(record)
    rows = rows_of(entries)
    both = ((*examples, *rows.examples), (*pairs, *rows.pairs))
    return TrainingRows(*both, rows.bad, rows.keys), refused


def import_into(buffer: FeedbackBuffer, path: Path) -> tuple[int, list[Refused]]:
    """Take the feedback of a file into a buffer; returns how many, and what was left out: broken
    records, and forms that hold no reaction to a reply.
    """
    refused: list[Refused] = []
    taken = 0
    records = read_records(path, max_record_bytes=buffer.section.max_record_bytes)
    for place, record in enumerate(records, start=1):
        if isinstance(record, Feedback):
            buffer.add(record)
            taken += 1
        elif isinstance(record, Refused):
            refused.append(record)
        else:
            refused.append(Refused(place, "no feedback on a reply; train on it with --data"))
    return taken, refused
