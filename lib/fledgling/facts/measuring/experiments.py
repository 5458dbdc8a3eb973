"""One recipe on one stream of facts: learn in sequence, then ask everything. Yields records; the
caller stores them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from fledgling.core.records import StepRecord, Turn
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
        small_talk = unrelated()
        anchor_set = AnchorSet(learner, anchors, base_answers)
        updates, seconds, rows, learned, detected = [], [], [], [], []
        for place, fact in enumerate(facts):
            losses: list[float] = []
            for record in learn(learner, [fact.turn], reply=reply, taught=True):
                if record.event == "update":
                    losses.append(record.values["loss"])
                    updates.append(record.values)
                if record.event == "turn":
                    seconds.append(record.values["seconds"])
                    detected.append(record.values["detected"] > 0)
                yield record
            if section.learning.own_replies:
                yield from learn(learner, [Turn(small_talk[place % len(small_talk)])])
            if place == len(facts) - 1:
                with learner.turn():
                    yield from train_waiting(learner)
            rows.append(_retention(learner, facts[: place + 1], matrix))
            learned.append(updates_to_learn(losses, LEARNED_LOSS))
            yield StepRecord(
                place,
                "retention",
                fact.id,
                {"scores": rows[-1], "losses": losses, "updates_to_learn": learned[-1]},
            )
        metrics, probes, neighbours = evaluate(learner, facts, anchor_set, base_answers)
        for probe in probes:
            yield StepRecord(len(facts), "probe", probe.fact_id, _without(vars(probe), "fact_id"))
        for neighbour in neighbours:
            yield StepRecord(
                len(facts), "neighbour", neighbour.fact_id, _without(vars(neighbour), "fact_id")
            )
        for question, before, after in zip(
            anchor_set.prompts, anchor_set.answers, anchor_set.latest, strict=True
        ):
            yield StepRecord(
                len(facts),
                "anchor",
                "",
                {"question": question, "base_answer": before, "answer": after},
            )
        final = _final_scores(facts, probes)
        yield StepRecord(
            len(facts),
            "metrics",
            name,
            {
                **metrics,
                **_history_metrics(rows, final),
                **_cost_metrics(updates, seconds, len(facts)),
                "updates_to_learn": _mean_known(learned),
                "detected": share(detected),
            },
        )
    finally:
        learner.close()


def _retention(
    learner: OnlineLearner, taught: Sequence[TaughtFact], matrix: bool
) -> list[float | None]:
    asked = taught if matrix else taught[-1:]
    direct = [fact.__class__(fact.id, fact.turn, fact.probes_of("direct")) for fact in asked]
    scores = _final_scores(asked, ask_probes(learner, direct))
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


def _without(values: dict, name: str) -> dict:
    return {key: value for key, value in values.items() if key != name}
