"""The background trainer: looks every so often whether enough has come in, trains between the
replies of the chat, and puts the new adapter in the old one's place when it is whole.

Exactly once. What a training uses is written to ``plan.json`` before it starts. After a kill the
same plan is trained to its end, its examples are booked as used, and only then is it let go: every
step may be repeated, none is done twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fledgling.core.errors import DataError, FledglingError, RunError
from fledgling.core.files import read_json, write_json
from fledgling.core.records import StepRecord
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.feedback.examples import ChatExample, PreferencePair
from fledgling.feedback.preferences import teach
from fledgling.feedback.rows import TrainingRows, rows_of
from fledgling.feedback.settings import FeedbackSection
from fledgling.feedback.triggers import Floor, due
from fledgling.models.loading import LoadedModel

logger = logging.getLogger(__name__)
PLAN, CURRENT = "plan.json", "current.json"


def current_adapter(folder: Path) -> Path | None:
    """The adapter that serves now: the last one that was finished, None before the first."""
    path = folder / CURRENT
    return folder / read_json(path)["adapter"] if path.is_file() else None


def train_pending(
    loaded: LoadedModel,
    buffer: FeedbackBuffer,
    section: FeedbackSection,
    *,
    folder: Path,
    seed: int = 0,
) -> Iterator[StepRecord]:
    """Train on what is pending in the buffer, going on from the current adapter; yields what
    ``preferences.teach`` does, and nothing where nothing is pending.

    ``folder`` holds the adapters. Raises ``RunError`` while another trainer works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".trainer.lock", timeout=0):
            plan = _plan(buffer, folder)
            if plan is None:
                return
            rows, name = _rows(plan), plan["name"]
            start = folder / plan["start"] if plan["start"] else None
            try:
                yield from teach(
                    loaded,
                    rows,
                    section.training,
                    section.preferences,
                    folder=folder / name,
                    seed=seed,
                    start=start,
                )
            except DataError:  # it would fail for ever: let go of what cannot be learned
                buffer.mark_trained(rows.keys, f"{name} (unusable)")
                (folder / PLAN).unlink()
                raise
            buffer.mark_trained(rows.keys, name)
            write_json(folder / CURRENT, {"adapter": name})
            (folder / PLAN).unlink()
    except Timeout as error:
        raise RunError(
            f"another trainer is at work in {folder}; it will take in what is pending"
        ) from error


def _plan(buffer: FeedbackBuffer, folder: Path) -> dict[str, Any] | None:
    """The plan that a kill left behind, else a new one over all that is pending, else None."""
    path = folder / PLAN
    if path.is_file():
        return read_json(path)
    rows = rows_of(buffer.pending())
    if not rows.examples and not rows.pairs:
        return None
    number = 1 + sum(1 for one in folder.glob("adapter-*") if one.is_dir())
    before = current_adapter(folder)
    plan = {"name": f"adapter-{number:04d}", "start": before.name if before else "", **asdict(rows)}
    write_json(path, plan)
    return plan


def _rows(plan: dict[str, Any]) -> TrainingRows:
    def examples(key: str) -> tuple[ChatExample, ...]:
        return tuple(ChatExample(tuple(one["messages"]), one["weight"]) for one in plan[key])

    pairs = tuple(
        PreferencePair(tuple(one["prompt"]), one["chosen"], one["rejected"], one["weight"])
        for one in plan["pairs"]
    )
    return TrainingRows(examples("examples"), pairs, examples("bad"), tuple(plan["keys"]))


class BackgroundTrainer:
    """A thread that trains when there is a reason to, and yields to the chat.

    ``floor`` is shared with the chat; ``ready(folder)`` is called with each new adapter once it is
    whole. Use as a context manager, or ``start`` and ``stop``.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        buffer: FeedbackBuffer,
        section: FeedbackSection,
        *,
        folder: Path,
        floor: Floor,
        ready: Callable[[Path], None] = lambda _: None,
        seed: int = 0,
    ) -> None:
        self.loaded, self.buffer, self.section = loaded, buffer, section
        self.folder, self.floor, self.ready, self.seed = folder, floor, ready, seed
        self.records: list[StepRecord] = []
        self.error = ""
        self._wake, self._stop = threading.Event(), threading.Event()
        self._asked = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> BackgroundTrainer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin looking. A second call changes nothing."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._loop, name="trainer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the micro-batch in progress; what was trained so far is resumed next time."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def request(self) -> None:
        """Train now, whatever is pending. During a training: once more after it."""
        self._asked = True
        self._wake.set()

    @property
    def training(self) -> bool:
        return bool(self.records) and self.records[-1].event != "done"

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._look()
            self._wake.wait(self.section.triggers.look_seconds)
            self._wake.clear()

    def _look(self) -> None:
        asked, self._asked = self._asked, False
        reason = due(
            self.section.triggers,
            important=self.buffer.important(),
            pending=self.buffer.counters().pending,
            idle_seconds=self.floor.idle_seconds,
            asked=asked or (self.folder / PLAN).is_file(),
        )
        if not reason:
            return
        logger.info("training begins: %s", reason)
        try:
            self._train()
        except FledglingError as error:
            self.error = str(error)
            logger.warning("training failed, the adapter before it goes on serving: %s", error)

    def _train(self) -> None:
        from fledgling.feedback.trl_parts import import_trainers  # TRL takes seconds to import

        self.records.clear()
        import_trainers()
        steps = train_pending(
            self.loaded, self.buffer, self.section, folder=self.folder, seed=self.seed
        )
        while not self._stop.is_set():
            with self.floor.training():
                record = next(steps, None)
            if record is None:
                break
            self.records.append(record)
        steps.close()
        adapter = current_adapter(self.folder)
        if adapter is not None and not self._stop.is_set():
            self.error = ""
            self.ready(adapter)
