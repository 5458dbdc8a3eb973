"""The guard: after a fact is learned, is anything broken?"""

from __future__ import annotations

import math

import torch

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import readings_of
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.learning.losses import forward_kl
from fledgling.facts.measuring.anchors import held_in


def find_fault(
    learner: OnlineLearner, fact: Fact, update_is_finite: bool
) -> tuple[str | None, float]:
    """Why what was learned may not be kept (None: keep it), and the KL measured on held-in anchors,
    nats per token.

    Refused is an update that is not finite, that moves the anchors beyond the KL budget, or that
    raises the loss of an earlier fact by more than the margin. Facts with adapters of their own
    cannot disturb each other, and behind a gate anchors are answered by the base unless the gate
    opens for them, so there only that is checked.
    """
    section = learner.facts.guard
    if not update_is_finite:
        return "the loss or its gradient was not finite", math.nan
    if not section.enabled:
        return None, 0.0
    kl = anchor_kl(learner, fact)
    if kl > section.kl_budget:
        limit = section.kl_budget
        return f"held-in anchors moved by {kl:.3f} nats per token, the budget is {limit:g}", kl
    if learner.trained.interferes:
        lost = _lost_fact(learner, fact)
        if lost is not None:
            return f"an earlier fact would be lost: {lost}", kl
    return None, kl


def anchor_kl(learner: OnlineLearner, fact: Fact) -> float:
    """Mean KL(base‖tuned) over the first ``guard.anchors`` held-in anchors, as they would be
    answered now.

    Behind a gate that is zero unless the gate opens for an anchor.
    """
    count = min(learner.facts.guard.anchors, len(held_in()))
    chosen = list(range(count))
    if learner.facts.gate.enabled:
        texts = readings_of(fact)
        scores = learner.gate.score([(text, held_in()[i]) for text in texts for i in chosen])
        highest = scores.reshape(len(texts), count).max(axis=0)
        chosen = [index for index in chosen if highest[index] >= learner.facts.gate.threshold]
    if not chosen:
        return 0.0
    rows, logits = learner.lessons.some_anchors(chosen)
    with torch.no_grad():
        return len(chosen) / count * float(forward_kl(logits, learner.adapted.logits(rows)))


def _lost_fact(learner: OnlineLearner, fact: Fact) -> str | None:
    """An earlier fact whose loss has risen since it was last measured, on the same rows."""
    section = learner.facts.guard
    facts = learner.memory.select(
        section.recheck_facts, "random", learner.rng(), turn=learner.turns, exclude={fact.id}
    )
    for other in facts:
        before = learner.memory.entry(other.id).loss
        if learner.lessons.loss(other) > before + section.loss_margin:
            return other.statement
    return None
