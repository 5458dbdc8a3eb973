"""One recipe on one stream of facts: learn in sequence, then ask everything. Yields records; the
caller stores them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from fledgling.core.records import StepRecord, Turn
from fledgling.facts.consolidation import consolidate
from fledgling.facts.flow import learn, train_waiting
from fledgling.facts.learner import GateReaders, OnlineLearner
from fledgling.facts.measuring.anchors import unrelated
from fledgling.facts.measuring.editing import ProbeResult, share
from fledgling.facts.measuring.forgetting import backward_transfer, forgetting
from fledgling.facts.measuring.plasticity import updates_to_learn
from fledgling.facts.measuring.probing import AnchorSet, ask_probes, evaluate
from fledgling.facts.measuring.streams import TaughtFact
from fledgling.facts.settings import FactsSection
from fledgling.language.settings import LanguageSection
from fledgling.models.loading import LoadedModel

LEARNED_LOSS = (
    0.5  # nats per token below which a fact's rows count as learned, for updates_to_learn
)


def run_stream(
    loaded: LoadedModel,
    readers: GateReaders,
    section: FactsSection,
    language: LanguageSection,
    facts: Sequence[TaughtFact],
    *,
    name: str = "default",
    anchors: Sequence[str],
    seed: int = 0,
    matrix: bool = False,
    reply: bool = True,
    store: str = ":memory:",
    base_answers: dict[str, str] | None = None,
) -> Iterator[StepRecord]:
    """Teach ``facts`` in order with the recipe in ``section``, whose name is ``name``, then ask all
    probes, neighbours and anchors.

    Yields what ``learn`` yields; after each fact ``retention`` (direct probes: of that fact, or
    with ``matrix`` of all taught so far, as ``scores``); at the end ``probe``, ``neighbour`` and
    ``anchor`` for every question asked, and one ``metrics`` with the names of the contract.
    ``base_answers`` keeps what the base answers between calls. A recipe that also learns from its
    own replies takes an ordinary turn after each fact. The learner is closed whether or not the
    caller takes every record.
    """
    learner = OnlineLearner(loaded, section, language, readers=readers, store=store, seed=seed)
    try:
        base_answers = {} if base_answers is None else base_answers
        anchor_set, course = AnchorSet(learner, anchors, base_answers), _Course()
        small_talk = unrelated()
        for place, fact in enumerate(facts):
            yield from course.tell(learner, fact.turn, reply=reply)
            if section.learning.own_replies:
                yield from learn(learner, [Turn(small_talk[place % len(small_talk)])])
            if place == len(facts) - 1:
                with learner.turn():
                    yield from train_waiting(learner)
                if section.consolidation.at_end:
                    *_, ended = consolidate(learner)
                    yield ended
            scores = _retention(learner, facts[: place + 1], matrix, base_answers)
            yield StepRecord(place, "retention", fact.id, course.known(scores))
        metrics, probes, neighbours = evaluate(learner, facts, anchor_set, base_answers)
        for event, asked in (("probe", probes), ("neighbour", neighbours)):
            for one in asked:
                values = {key: value for key, value in vars(one).items() if key != "fact_id"}
                yield StepRecord(len(facts), event, one.fact_id, values)
        answers = (anchor_set.prompts, anchor_set.answers, anchor_set.latest)
        for question, before, after in zip(*answers, strict=True):
            values = {"question": question, "base_answer": before, "answer": after}
            yield StepRecord(len(facts), "anchor", "", values)
        metrics |= course.metrics(_final_scores(facts, probes))
        yield StepRecord(len(facts), "metrics", name, metrics)
    finally:
        learner.close()


class _Course:
    """What telling the facts has cost so far, and what was known after each."""

    def __init__(self) -> None:
        self.updates: list[dict] = []
        self.seconds: list[float] = []
        self.detected: list[bool] = []
        self.losses: list[float] = []  # of the newest fact's updates
        self.learned: list[int | None] = []
        self.scores: list[list[float | None]] = []

    def tell(self, learner: OnlineLearner, turn: Turn, *, reply: bool) -> Iterator[StepRecord]:
        """Tell one fact; yields what ``learn`` yields."""
        self.losses = []
        for record in learn(learner, [turn], reply=reply, taught=True):
            if record.event == "update":
                self.losses.append(record.values["loss"])
                self.updates.append(record.values)
            if record.event == "turn":
                self.seconds.append(record.values["seconds"])
                self.detected.append(record.values["detected"] > 0)
            yield record

    def known(self, scores: list[float | None]) -> dict[str, object]:
        """Note what is known now of each fact told so far; returns it with how it was learned."""
        self.scores.append(scores)
        self.learned.append(updates_to_learn(self.losses, LEARNED_LOSS))
        return {
            "scores": scores,
            "losses": self.losses,
            "updates_to_learn": self.learned[-1],
        }

    def metrics(self, final: list[float | None]) -> dict[str, float | None]:
        """History and cost, given each fact's score at the end."""
        return {
            **_history_metrics(self.scores, final),
            **_cost_metrics(self.updates, self.seconds, len(self.scores)),
            "updates_to_learn": _mean_known(self.learned),
            "detected": share(self.detected),
        }


def _retention(
    learner: OnlineLearner,
    taught: Sequence[TaughtFact],
    matrix: bool,
    base_answers: dict[str, str],
) -> list[float | None]:
    asked = taught if matrix else taught[-1:]
    direct = [fact.__class__(fact.id, fact.turn, fact.probes_of("direct")) for fact in asked]
    scores = _final_scores(asked, ask_probes(learner, direct, base_answers))
    return [None] * (len(taught) - len(asked)) + scores


def _final_scores(facts: Sequence[TaughtFact], probes: Sequence[ProbeResult]) -> list[float | None]:
    """Share of each fact's direct probes that hit; None for a fact that has none."""
    return [
        share(
            [probe.hit for probe in probes if probe.fact_id == fact.id and probe.kind == "direct"]
        )
        for fact in facts
    ]


def _history_metrics(
    taught: list[list[float | None]], final: list[float | None]
) -> dict[str, float | None]:
    """What was known when just taught, backward transfer and forgetting, from each fact's score
    when just taught and at the end (and between).
    """
    width = len(taught)
    matrix = [row + [None] * (width - len(row)) for row in (*taught[:-1], final)]
    just_taught = [row[place] for place, row in enumerate(taught) if row[place] is not None]
    return {
        "just_taught": share(just_taught),
        "backward_transfer": backward_transfer(matrix),
        "forgetting": forgetting(matrix),
    }


def _cost_metrics(
    updates: Sequence[dict], seconds: Sequence[float], facts: int
) -> dict[str, float | None]:
    return {
        "updates_per_fact": len(updates) / facts,
        "seconds_per_update": statistics.median(update["seconds"] for update in updates)
        if updates
        else None,
        "tokens_per_update": statistics.median(update["tokens"] for update in updates)
        if updates
        else None,
        "seconds_per_turn": statistics.median(seconds) if seconds else None,
    }


def _mean_known(counts: Sequence[int | None]) -> float | None:
    """Mean over the facts whose loss fell low enough; None when no fact's did."""
    return share([count for count in counts if count is not None])
