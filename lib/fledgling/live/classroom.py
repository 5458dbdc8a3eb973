"""The learner and everybody who wants it: lessons on a thread in the background, replies in
between.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fledgling.core.errors import FledglingError
from fledgling.core.records import StepRecord
from fledgling.facts.flow import learn, train_waiting
from fledgling.facts.learner import OnlineLearner
from fledgling.live.conversation import Conversation, Message
from fledgling.live.measures import Measures, retention
from fledgling.live.settings import LiveSection
from fledgling.live.turnstile import Turnstile
from fledgling.live.worker import Lesson, Worker

_log = logging.getLogger(__name__)
Listener = Callable[[StepRecord], None]


class Classroom:
    """Owns the learner. ``open_learner`` opens the one of a recipe, ``bytes_of`` says how large its
    file is; what happens goes to ``measures`` and to every listener.
    """

    def __init__(
        self,
        open_learner: Callable[[str], OnlineLearner],
        bytes_of: Callable[[str], int],
        conversation: Conversation,
        live: LiveSection,
        recipe: str,
    ) -> None:
        self._open, self._bytes_of = open_learner, bytes_of
        self.conversation, self.live, self.recipe = conversation, live, recipe
        self.turnstile, self.worker = Turnstile(), Worker(self._learn)
        self.measures = Measures(live.plot_points)
        self._listeners: list[Listener] = []
        self.learner = open_learner(recipe)
        self.take_up()

    def close(self) -> None:
        """Finish the lesson that is being learned; what waits is noted, and taken up next time."""
        self.worker.pause()
        self.worker.wait()
        self.learner.close()

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def tell(self, event: str, name: str = "", **values: object) -> None:
        """Let everybody know what happened."""
        self._pass_on(StepRecord(self.learner.turns, event, name, values))

    def _pass_on(self, record: StepRecord) -> None:
        self.measures.add(record)
        for listener in self._listeners:
            try:
                listener(record)
            except Exception:  # a view that fails must not take a lesson with it
                _log.exception("a view of the session failed")

    @contextmanager
    def quiet(self) -> Iterator[OnlineLearner]:
        """The learner between two of its steps, for a person who waits; a lesson goes on after."""
        with self.turnstile.reply(), self.learner.aside():
            yield self.learner

    @contextmanager
    def settled(self) -> Iterator[OnlineLearner]:
        """The learner when no lesson is being learned."""
        with self.worker.held(), self.turnstile.reply():
            yield self.learner

    def reopen(self, recipe: str, between: Callable[[], None] = lambda: None) -> None:
        """Open the facts of a recipe anew, after ``between``; where that fails, those of before."""
        with self.settled():
            self.learner.close()
            try:
                between()
                self.learner = self._open(recipe)
            except BaseException:
                self.learner = self._open(self.recipe)
                raise
            self.recipe = recipe
        self.tell("opened", recipe)

    # Lessons

    def teach(self, lesson: Lesson) -> None:
        """Note a lesson, and learn it in the background."""
        self.worker.add(self.conversation.note(lesson, self.recipe))

    def take_up(self) -> None:
        """Learn what was noted and not yet learned, and what shared weights have lost."""
        self.worker.clear()
        for lesson in self.conversation.lessons(self.recipe):
            self.worker.add(lesson)
        learner = self.learner
        if learner.trained is learner.placement and learner.waiting():
            self.worker.add(Lesson(None))

    def _learn(self, lesson: Lesson) -> None:
        try:
            self._learn_steps(lesson)
            self._measure()
        except FledglingError as error:
            self._fail(str(error))
        except Exception as error:
            _log.exception("a lesson failed")
            self._fail(f"the lesson failed ({type(error).__name__}: {error}); nothing was changed")
        finally:
            if lesson.number is not None:
                self.conversation.learned(lesson.number)

    def _learn_steps(self, lesson: Lesson) -> None:
        records = self._records(lesson)
        while True:
            with self.turnstile.step():
                record = next(records, None)
                if record is None:
                    return
                kept = record.name if record.event == "remembered" else ""
                fact = self.learner.memory.get(kept) if kept else None
            if fact is not None:
                self.conversation.tell(fact)
            self._pass_on(record)

    def _records(self, lesson: Lesson) -> Iterator[StepRecord]:
        if lesson.turn is not None:
            yield from learn(self.learner, [lesson.turn], reply=False, taught=lesson.taught)
            return
        with self.learner.turn():
            yield from train_waiting(self.learner)

    def _fail(self, message: str) -> None:
        self.conversation.add(Message("notice", message))
        self.tell("failed", message=message)

    def _measure(self) -> None:
        """How well the newest facts are known, one at a time between replies."""
        with self.turnstile.step():
            count = len(self.learner.memory)
            newest = self.learner.memory.newest(self.live.retention_facts)
        known = {}
        for fact in newest:
            with self.turnstile.step():
                known[fact.id] = retention(self.learner, fact)
        self.tell("measured", retention=known, facts=count, bytes=self._bytes_of(self.recipe))
