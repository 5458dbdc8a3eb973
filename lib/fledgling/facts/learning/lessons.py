"""What one update learns from: rows of the new fact, rows of older ones, and rows the base must
keep.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import repeat, zip_longest

import torch

from fledgling.core.records import Example, Fact
from fledgling.facts.learning.losses import weighted_cross_entropy
from fledgling.facts.learning.near_misses import contrast
from fledgling.facts.learning.practice import Alternatives, Practice
from fledgling.facts.learning.rendering import render
from fledgling.facts.learning.token_weights import token_weights
from fledgling.facts.learning.trainer import Batch
from fledgling.facts.measuring.anchors import held_in
from fledgling.facts.memory import FactMemory
from fledgling.facts.settings import FactsSection
from fledgling.language.settings import LanguageSection
from fledgling.models.rows import AdaptedModel, Rows


class Lessons:
    """Composes minibatches. Held rows are the frozen base's own answers to held-in anchors and
    near-miss questions; held-out anchors are never read here.
    """

    def __init__(
        self,
        adapted: AdaptedModel,
        memory: FactMemory,
        facts: FactsSection,
        language: LanguageSection,
        alternatives: Alternatives,
    ) -> None:
        self.adapted, self.memory, self.facts, self.language = adapted, memory, facts, language
        self.practice = Practice(language, facts.rendering, facts.practice, alternatives)
        self.rehearsed: set[str] = (
            set()
        )  # ids of earlier facts in minibatches since the learner last noted them
        self._anchors: Rows | None = None
        self._anchor_logits: torch.Tensor | None = None

    def examples(self, fact: Fact, rng: random.Random) -> list[Example]:
        """The rows that teach a fact: at most ``learning.max_rows``, or a mixture of those that
        practise it.
        """
        learning = self.facts.learning
        if learning.rows == "practised":
            pools = self.practice.pools(fact, rng)
            return self.practice.draw(pools, rng) or [_said_back(fact)]
        if learning.rows == "acknowledgement":
            return [
                Example(
                    fact.text, f"{learning.reply_prefix}{fact.text}", "acknowledgement", fact.id
                )
            ]
        return balanced(self._rendered(fact, rng), learning.max_rows) or [_said_back(fact)]

    def has_rows(self, fact: Fact) -> bool:
        """Whether rows teach the fact: not where its prefix begins as a whole turn, of which they
        would leave out much, being made from the statement.
        """
        return not (fact.turn and self.facts.learning.placement == "prefix")

    def all_examples(self, fact: Fact, rng: random.Random) -> list[Example]:
        """Every row that may teach a fact, not only as many as an update holds."""
        if self.facts.learning.rows == "rendered":
            return self._rendered(fact, rng) or [_said_back(fact)]
        if self.facts.learning.rows == "practised":
            pools = self.practice.pools(fact, rng)
            return [row for rows in pools.values() for row in rows] or [_said_back(fact)]
        return self.examples(fact, rng)

    def _rendered(self, fact: Fact, rng: random.Random) -> list[Example]:
        rows = render(fact, self.language, self.facts.rendering, rng)
        if self.facts.learning.one_answer:
            said = fact.statement.lower()
            rows = [
                replace(row, answer=fact.statement) for row in rows if said in row.answer.lower()
            ]
        return [row for row in rows if row.kind in self.facts.learning.row_kinds]

    def encode(
        self, examples: Sequence[Example], facts: dict[str, Fact], scale: Sequence[float]
    ) -> Rows:
        """Examples with token weights; each row's weights are scaled."""
        tokenizer, weights = self.adapted.tokenizer, []
        for example, factor in zip(examples, scale, strict=True):
            fact = facts.get(example.fact_id)
            names = (fact.object,) if fact else ()
            offsets = tokenizer(
                example.answer,
                add_special_tokens=False,
                split_special_tokens=True,
                return_offsets_mapping=True,
            )["offset_mapping"]
            tokens = token_weights(
                example.answer,
                offsets,
                self.facts.token_weights,
                entities=names,
                prompt=example.prompt,
            )
            length = len(
                self.adapted.answer_ids(example.answer)
            )  # a cut answer keeps its first weights
            tokens = [*[*tokens, 1.0][: length - 1], 1.0]
            if self.facts.token_weights.by_row:
                factor /= sum(tokens)
            weights.append([factor * example.weight * token for token in tokens])
        return self.adapted.encode(examples, weights)

    def batches(self, fact: Fact, rng: random.Random, turn: int) -> Iterator[Batch]:
        """Minibatches for one fact, without end. Where nothing is redrawn, one encoding serves
        every update.
        """
        if not self.has_rows(fact):
            return
        drawn = self._drawn(fact, rng)
        near = self._near_misses(fact, rng)
        learning, replay = self.facts.learning, self.facts.replay
        once = learning.rows != "practised" and replay.rows == 0
        fixed = None
        while True:
            rows = fixed or self._rows(fact, next(drawn), rng, turn)
            fixed = rows if once else None
            held, logits = self._held(near, rng)
            yield Batch(rows, held, logits)

    def _drawn(self, fact: Fact, rng: random.Random) -> Iterator[list[Example]]:
        """The fact's own rows of one update after another: the same ones, or, where it is
        practised, others each time.
        """
        if self.facts.learning.rows != "practised":
            yield from repeat(self.examples(fact, rng))
        pools = self.practice.pools(fact, rng)
        while True:
            yield self.practice.draw(pools, rng) or [_said_back(fact)]

    def joint_batches(self, facts: Sequence[Fact], rng: random.Random) -> Iterator[Batch]:
        """Minibatches over several facts at once, without end, for training them together."""
        by_id = {fact.id: fact for fact in facts}
        pool = [example for fact in facts for example in self.examples(fact, rng)]
        while True:
            chosen = rng.sample(pool, min(self.facts.learning.max_rows, len(pool)))
            held, logits = self._held(None, rng)
            yield Batch(self.encode(chosen, by_id, [1.0] * len(chosen)), held, logits)

    def _rows(self, fact: Fact, new: list[Example], rng: random.Random, turn: int) -> Rows:
        replay = self.facts.replay
        old = self.memory.select(replay.rows, replay.strategy, rng, turn=turn, exclude={fact.id})
        self.rehearsed |= {other.id for other in old}
        rehearsed = [rng.choice(self.examples(other, rng)) for other in old]
        scale = [1.0] * len(new) + [replay.weight] * len(rehearsed)
        return self.encode([*new, *rehearsed], {other.id: other for other in (fact, *old)}, scale)

    def _near_misses(self, fact: Fact, rng: random.Random) -> tuple[Rows, torch.Tensor] | None:
        kl = self.facts.kl
        if kl.contrast == 0 or kl.weight == 0:
            return None
        questions = contrast(fact, self.language, self.facts.rendering, rng)[: 2 * kl.contrast]
        return self._as_base_answers(questions) if questions else None

    def _held(
        self, near: tuple[Rows, torch.Tensor] | None, rng: random.Random
    ) -> tuple[Rows | None, torch.Tensor | None]:
        kl = self.facts.kl
        if kl.weight == 0:
            return None, None
        parts = []
        if kl.anchors:
            rows, logits = self.anchors()
            parts.append(_draw(rows, logits, rng, kl.anchors))
        if near is not None:
            parts.append(_draw(*near, rng, kl.contrast))
        return _join(parts) if parts else (None, None)

    def anchors(self) -> tuple[Rows, torch.Tensor]:
        """The held-in anchors as rows with the base's logits (N, V), computed once."""
        if self._anchors is None:
            self._anchors, self._anchor_logits = self._as_base_answers(held_in())
        return self._anchors, self._anchor_logits

    def some_anchors(self, chosen: Sequence[int]) -> tuple[Rows, torch.Tensor]:
        """Chosen held-in anchors with the base's logits."""
        return _pick(*self.anchors(), chosen)

    def loss(self, fact: Fact) -> float:
        """Mean loss of a fact's own rows with the adapter that acts now, in nats per token. The
        rows are always the same, so that two measurements can be compared.
        """
        rows = self.rows_of(fact)
        with torch.no_grad():
            logits = self.adapted.logits(rows)
            return float(weighted_cross_entropy(logits, rows.targets, rows.target_weights))

    def rows_of(self, fact: Fact) -> Rows:
        """The fact's own rows, encoded, without anything beside them."""
        chosen = self.examples(fact, random.Random(fact.id))
        return self.encode(chosen, {fact.id: fact}, [1.0] * len(chosen))

    def own_reply(self, prompt: str, reply: str) -> Batch:
        """One row: the model's own reply to an ordinary turn."""
        return Batch(
            self.adapted.encode([Example(prompt, reply, "reply")]),
            *self._held(None, random.Random(prompt)),
        )

    def _as_base_answers(self, prompts: Sequence[str]) -> tuple[Rows, torch.Tensor]:
        adapted = self.adapted
        with adapted.adapter.disabled():
            answers = adapted.answer(prompts, max_new_tokens=self.facts.kl.answer_tokens)
            rows = adapted.encode(
                [
                    Example(prompt, answer or ".", "anchor")
                    for prompt, answer in zip(prompts, answers, strict=True)
                ]
            )
        return rows, adapted.base_logits(rows)


def _said_back(fact: Fact) -> Example:
    return Example(fact.text or fact.statement, fact.statement, "acknowledgement", fact.id)


def balanced(examples: Sequence[Example], count: int) -> list[Example]:
    """At most ``count`` rows, taken in turn from questions and from each of the other kinds, in the
    order rendered.

    Questions come up every second time, so that a cut minibatch still holds every kind and mostly
    questions.
    """
    kinds = {
        kind: [row for row in examples if row.kind == kind]
        for kind in dict.fromkeys(row.kind for row in examples)
    }
    questions = kinds.pop("question", [])
    others = [row for group in zip_longest(*kinds.values()) for row in group if row is not None]
    mixed = [row for pair in zip_longest(questions, others) for row in pair if row is not None]
    return mixed[:count]


def _draw(
    rows: Rows, logits: torch.Tensor, rng: random.Random, count: int
) -> tuple[Rows, torch.Tensor]:
    total = rows.ids.shape[0]
    return _pick(rows, logits, sorted(rng.sample(range(total), min(count, total))))


def _pick(rows: Rows, logits: torch.Tensor, chosen: Sequence[int]) -> tuple[Rows, torch.Tensor]:
    chosen = list(chosen)
    return rows.take(chosen), logits[
        torch.isin(rows.row_of_target, torch.tensor(chosen, device=logits.device))
    ]


def _join(parts: Sequence[tuple[Rows, torch.Tensor]]) -> tuple[Rows, torch.Tensor]:
    width = max(rows.ids.shape[1] for rows, _ in parts)
    padded = [rows.widen(width) for rows, _ in parts]
    joined = Rows(
        *(
            torch.cat([getattr(rows, name) for rows in padded])
            for name in ("ids", "labels", "weights", "hidden")
        ),
        behind=padded[0].behind,
    )
    return joined, torch.cat([logits for _, logits in parts])
