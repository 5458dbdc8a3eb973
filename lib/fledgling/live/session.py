"""A live session: talk, teach, watch, take back, forget. All state and every action, no widget.

The panel and the terminal are views of this. Replies come on the caller's thread, lessons are
learned on one in the background; both take turns on the model between two updates, and a reply goes
first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fledgling.core.errors import DataError
from fledgling.core.records import Fact, Turn
from fledgling.facts.gate.gate import fact_text
from fledgling.facts.learner import GateReaders, OnlineLearner
from fledgling.facts.placements import BASE, joined
from fledgling.facts.placements.consolidated import Folding
from fledgling.facts.settings import FactsSection
from fledgling.language.facts import detect_all
from fledgling.language.settings import LanguageSection
from fledgling.live import explaining
from fledgling.live.classroom import Classroom, Listener
from fledgling.live.conversation import Conversation, Message
from fledgling.live.explaining import Comparison, Explanation, Stats
from fledgling.live.exporting import write_lessons
from fledgling.live.forgetting import erase_elsewhere, find_fact, rewrite_without, traces_of
from fledgling.live.refusals import Refusals
from fledgling.live.settings import LiveSection
from fledgling.live.stores import Stores
from fledgling.live.texts import check_message
from fledgling.live.worker import Lesson
from fledgling.models.loading import LoadedModel

Say = Callable[[str], None]


def _unheard(piece: str) -> None:
    """Nobody reads along."""


class Session:
    """``folder`` keeps everything and continues what it holds; None keeps nothing. ``recipes``:
    ways to learn by name; each has facts of its own in the folder.

    Raises ``DataError`` when the folder is open elsewhere, belongs to another model, or is
    damaged.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        recipes: Mapping[str, FactsSection],
        language: LanguageSection,
        live: LiveSection,
        *,
        readers: GateReaders,
        folder: Path | None = None,
        recipe: str = "",
        seed: int = 0,
    ) -> None:
        self.loaded, self.recipes, self.language, self.live = loaded, recipes, language, live
        self.seed, self._stopped, self._closed = seed, False, False
        recipe = recipe or next(iter(recipes))
        self.stores = Stores(folder)
        try:
            self.conversation = Conversation(self.stores.conversation, live.remembered_messages)
            self._refusals = Refusals(readers, live.refusal_similarity)
            self._refusals.set_all(self.conversation.refusals())
            self.classroom = Classroom(
                self._open, self.stores.size, self.conversation, live, recipe
            )
        except BaseException:
            self.stores.release()
            raise
        self.measures, self.worker = self.classroom.measures, self.classroom.worker

    def _open(self, recipe: str) -> OnlineLearner:
        if recipe not in self.recipes:
            known = ", ".join(self.recipes)
            raise DataError(f"recipe {recipe!r} is not known here; there are: {known}")
        return OnlineLearner(
            self.loaded,
            self.recipes[recipe],
            self.language,
            readers=self._refusals.readers,
            store=self.stores.facts(recipe),
            seed=self.seed,
        )

    @property
    def learner(self) -> OnlineLearner:
        return self.classroom.learner

    @property
    def recipe(self) -> str:
        return self.classroom.recipe

    @property
    def merges(self) -> bool:
        """Whether the facts of this recipe can be folded into one."""
        learner = self.learner
        trains = learner.placement.trains or learner.facts.learning.wait_for
        return isinstance(learner.trained, Folding) and bool(trains)

    def close(self) -> None:
        """Finish what is being learned, store everything, and let others open the folder."""
        if self._closed:
            return
        self._closed = True
        self.classroom.close()
        self.conversation.close()
        self.stores.release()

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every record of what happens, on the thread where it does."""
        self.classroom.listen(listener)

    # Talking

    def say(self, text: str, on_text: Say = _unheard) -> Message:
        """One turn: the model replies, then learns what the turn states, in the background."""
        text = check_message(text, self.live.longest_message)
        turn = self._turn(text)
        learner = self.learner  # the turn is judged here as the lesson will judge it
        own_replies = learner.facts.learning.own_replies
        learns = own_replies or detect_all(turn, self.language, learner.judge)
        try:
            return self.ask(text, on_text)
        finally:  # a reply that was broken off takes no fact with it
            if learns:
                self.classroom.teach(Lesson(turn))

    def ask(self, text: str, on_text: Say = _unheard) -> Message:
        """A reply, streamed to ``on_text``, and nothing is learned."""
        text = check_message(text, self.live.longest_message)
        self._stopped = False
        said: list[str] = []
        self.conversation.add(Message("user", text))
        with self.classroom.quiet() as learner:
            (route,) = learner.route([text])
            source = learner.placement.source(route)
            try:
                pieces = learner.stream(text, route, max_new_tokens=self.live.reply_tokens)
                for piece in pieces:
                    said.append(piece)
                    on_text(piece)
                    if self._stopped:
                        break
                pieces.close()
            finally:
                led = joined(route) if source == route.fact_id else source
                values = (text, led, route.probability, route.nearest)
                reply = self.conversation.add(Message("model", "".join(said), *values))
        self.classroom.tell("reply", source)
        return reply

    def stop(self) -> None:
        """Break off the reply that is being said; what was said of it stays."""
        self._stopped = True

    def teach(self, text: str, *, question: str = "") -> None:
        """Learn ``text`` in the background, at its word. With ``question`` it is its answer."""
        text = check_message(text, self.live.longest_message)
        turn = Turn(text)
        if question:
            turn = Turn(f"{question} {text}", question=question, answer=text)
        self.conversation.add(Message("user", turn.text))
        self.classroom.teach(Lesson(turn, taught=True))

    def correct(self, what: str, text: str) -> Fact:
        """Forget a fact that was misread, and learn ``text`` in its place. Returns the old fact."""
        text = check_message(text, self.live.longest_message)
        fact = self.forget(what)
        self.teach(text)
        return fact

    def _turn(self, text: str) -> Turn:
        """What was asked and answered before is what a correction corrects."""
        before = self.conversation.reply()
        if before is None or not before.question.endswith("?"):
            return Turn(text)
        return Turn(text, previous_question=before.question, previous_reply=before.text)

    def wait(self) -> None:
        """Return when everything is learned that is to be learned now."""
        self.worker.wait()

    # Looking

    def facts(self) -> list[Fact]:
        """What is known, oldest first."""
        with self.classroom.quiet() as learner:
            return learner.memory.all()

    def why(self, number: int | None = None) -> Explanation:
        """Where a reply (default: the newest) came from. Raises ``DataError`` where there is
        none.
        """
        with self.classroom.quiet() as learner:
            limit = self.live.reply_tokens
            return explaining.explain(learner, self.conversation, number, max_new_tokens=limit)

    def compare(self, what: str = "") -> list[Comparison]:
        """Answers of the base and of the taught model: about a fact (default: the newest), about it
        in other words, and about anything else.
        """
        facts = self.facts()
        fact = find_fact(what, facts, []) if what else next(reversed(facts), None)
        rows = explaining.questions_about(self.learner, fact, self.live.unrelated)
        compared = []
        for kind, question in rows:
            with self.classroom.quiet() as learner:
                compared.append(explaining.compare(learner, kind, question))
        return compared

    def stats(self) -> Stats:
        """The session in numbers."""
        size = self.stores.size(self.recipe)
        return Stats(self.recipe, len(self.facts()), self.learner.turns, size, self.worker.waiting)

    # Taking back

    def undo(self) -> list[str]:
        """Take back the last lesson. Returns the facts that went, as they were told; none where
        there is nothing to take back.
        """
        with self.classroom.settled() as learner:
            before = {fact.id: fact.statement for fact in learner.memory.all()}
            taken = learner.undo() or []
        self.classroom.tell("undone", facts=taken)
        return [before[fact_id] for fact_id in taken if fact_id in before]

    def forget(self, what: str) -> Fact:
        """Forget a fact, named by its number in ``facts``, its id, or some of its words, so that no
        file of the session holds it. Returns it.

        Raises ``DataError`` when none, or more than one, is meant.
        """
        with self.classroom.settled() as learner:
            fact = find_fact(what, learner.memory.all(), self.conversation.all_told())
            learner.erase(fact.id)
            erase_elsewhere(self.stores, fact, learner.memory.section, keep=self.recipe)
            self.conversation.forget(fact.id, traces_of(fact))
            self._refusals.set_all(self.conversation.refusals())
            rewrite_without(self.stores.history, traces_of(fact))
            self.classroom.take_up()  # notes that held the fact are gone
        self.measures.forget(fact.id)
        self.classroom.tell("forgotten", fact.id)
        return fact

    def refuse(self, number: int | None = None) -> Message:
        """ "Not about that": the fact that gave a reply has nothing to do with its question.
        Returns the reply.

        Raises ``DataError`` where no fact gave it.
        """
        with self.classroom.quiet() as learner:
            reply = self.conversation.reply(number)
            fact = learner.memory.get(reply.nearest or "") if reply else None
            if reply is None or fact is None or reply.source == BASE:
                raise DataError("no fact gave this reply, so there is nothing to take away from it")
            self.conversation.refuse(fact.id, fact_text(fact), reply.question)
            self._refusals.set_all(self.conversation.refusals())
        self.classroom.tell("refused", fact.id)
        return reply

    # Keeping and changing

    def adjust(self, *, lr: float | None = None, threshold: float | None = None) -> None:
        """Another learning rate or gate threshold from now on, until the recipe is changed."""
        with self.classroom.quiet() as learner:
            learner.adjust(lr=lr, threshold=threshold)

    def save(self, name: str) -> Path:
        """Keep the facts as they are under a name. Returns the file."""
        with self.classroom.settled() as learner:
            return self.stores.save(name, learner.store)

    def export(self, path: Path) -> int:
        """Write what was taught as rows to train on; see ``exporting``. Returns their number."""
        with self.classroom.quiet() as learner:
            return write_lessons(learner, path)

    def load(self, name: str) -> None:
        """Go back to saved facts; those of now are replaced. Raises ``DataError`` when there is no
        such save, or it fits another recipe or model: then nothing has changed.
        """
        with self.classroom.settled() as learner:
            path = self.stores.check(name, learner.store)
        self.classroom.reopen(self.recipe, lambda: self.stores.load(path, self.recipe))

    def reset(self) -> None:
        """Forget all facts of this recipe and the whole conversation; saves stay."""
        self.worker.clear()
        self.classroom.reopen(self.recipe, lambda: self.stores.remove(self.recipe))
        self.conversation.clear()
        self._refusals.set_all([])
        self.measures.clear()
        rewrite_without(self.stores.history, None)
        self.classroom.tell("reset")

    def use(self, recipe: str) -> None:
        """Learn by another recipe, with the facts that were taught under it. What waits to be
        learned waits until its own recipe is used again.
        """
        self.worker.clear()
        self.classroom.reopen(recipe)
        self.measures.clear()
        self.classroom.take_up()
