"""Where did this answer come from, and what did teaching change?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fledgling.core.errors import DataError
from fledgling.core.records import Fact
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.placements import BASE, ids_in
from fledgling.facts.placements.in_prompt import PROMPT
from fledgling.facts.store import CONSOLIDATED, SHARED
from fledgling.language.rephrasing import rephrased
from fledgling.live.conversation import Conversation, Message, Told
from fledgling.live.measures import own_question


@dataclass(frozen=True)
class Explanation:
    """Where a reply came from. ``fact`` is what answered, or what came nearest; None where nothing
    was taught or it is known no more. ``base`` is what the frozen base says to the question.
    """

    reply: Message
    fact: str | None
    told: Told | None
    base: str

    @property
    def opened(self) -> bool:
        """Whether anything but the base answered."""
        return self.reply.source != BASE

    def lines(self) -> list[tuple[str, str]]:
        """(what, value) to be shown in this order."""
        reply, lines = self.reply, [("question", self.reply.question), ("answer", self.reply.text)]
        lines.append(("answered by", _named(reply.source, self.fact)))
        if reply.nearest is not None:
            chance = f"{reply.probability:.2f}"
            lines.append(("probability that it is asked for", chance))
        if not self.opened and self.fact is not None:
            lines.append(("nearest fact, not opened", self.fact))
        if self.told is not None:
            at = datetime.fromisoformat(self.told.at).strftime("%Y-%m-%d %H:%M UTC")
            lines.append(("taught", f"{at}: “{self.told.words}”"))
        return [*lines, ("the base would say", self.base)]


def _named(source: str, fact: str | None) -> str:
    known = {
        BASE: "the base: no fact was opened",
        PROMPT: "the base, with the facts in its prompt",
        SHARED: f"the adapter that all facts share; nearest: {fact or 'none'}",
        CONSOLIDATED: f"what all consolidated facts were folded into; nearest: {fact or 'none'}",
    }
    return known.get(source) or (f"the fact “{fact}”" if fact else "a fact that is known no more")


def explain(
    learner: OnlineLearner, conversation: Conversation, number: int | None, *, max_new_tokens: int
) -> Explanation:
    """Where the reply of that number, or the newest, came from."""
    reply = conversation.reply(number)
    if reply is None:
        raise DataError("nothing was answered yet; ask something first")
    about = learner.memory.get(reply.nearest) if reply.nearest else None
    told = conversation.told(about.id) if about else None
    if reply.source == BASE:
        base = reply.text
    else:
        (base,) = learner.base_answer([reply.question], max_new_tokens=max_new_tokens)
    joined = [learner.memory.get(fact_id) for fact_id in ids_in(reply.source)]
    said = " ".join(fact.statement for fact in joined if fact is not None)
    return Explanation(reply, said or (about.statement if about else None), told, base)


@dataclass(frozen=True)
class Comparison:
    """One question before and after teaching. ``kind`` is taught, rephrased or unrelated."""

    kind: str
    question: str
    before: str
    after: str
    source: str


def questions_about(
    learner: OnlineLearner, fact: Fact | None, unrelated: Sequence[str]
) -> list[tuple[str, str]]:
    """(kind, question): about a fact, about it in other words, and about something else."""
    asked = [("unrelated", question) for question in unrelated]
    if fact is None:
        return asked
    question = own_question(learner, fact).prompt
    other = next(iter(rephrased(question)), question)
    return [("taught", question), ("rephrased", other), *asked]


def compare(learner: OnlineLearner, kind: str, question: str) -> Comparison:
    """What the base answers to a question, and what the taught model does."""
    (before,) = learner.base_answer([question])
    (after,) = learner.answer([question])
    return Comparison(kind, question, before, after.text, after.source)


@dataclass(frozen=True)
class Stats:
    """A session in numbers: facts known, turns learned from, bytes of their store, lessons that
    wait.
    """

    recipe: str
    facts: int
    turns: int
    bytes: int
    waiting: int
