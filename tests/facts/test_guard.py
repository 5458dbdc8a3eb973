"""The guard: what breaks something is rolled back exactly, tried smaller, then given up with a
reason.
"""

import pytest
import torch

from fledgling.core.records import Turn
from fledgling.facts.flow import learn
from fledgling.models.tiny import to_bytes

SHARED = {"facts.learning.placement": "shared", "facts.gate.enabled": False}


def tell(learner, *texts):
    return [record for text in texts for record in learn(learner, [Turn(text)], reply=False)]


def events(records):
    return [
        record.event
        for record in records
        if record.event not in ("reply", "fact", "update", "turn")
    ]


def everything(learner):
    tensors, values = learner.trainer.state()
    rows = learner.store.connection.execute(
        "SELECT id, weights FROM adapters ORDER BY id"
    ).fetchall()
    return (
        to_bytes(tensors),
        values,
        [tuple(row) for row in rows],
        learner.memory.entries(),
        learner.gate.ids,
    )


def test_a_broken_kl_budget_rolls_back_exactly_and_gives_up_with_a_reason(new_learner, monkeypatch):
    learner = new_learner(
        **SHARED,
        **{"facts.guard.kl_budget": 1e-9, "facts.guard.retries": 2, "facts.guard.shrink": 0.25},
    )
    before = everything(learner)
    rates = []
    learn_rows = learner.trainer.learn
    monkeypatch.setattr(
        learner.trainer,
        "learn",
        lambda batches, *, lr, kl_weight: (
            rates.append(lr),
            learn_rows(batches, lr=lr, kl_weight=kl_weight),
        )[1],
    )
    records = tell(learner, "Lena lives in Oslo.")
    assert events(records) == ["rolled_back"] * 3 + ["given_up"]
    assert everything(learner) == before
    assert rates == pytest.approx([rates[0], rates[0] / 4, rates[0] / 16])
    (given_up,) = [record for record in records if record.event == "given_up"]
    assert (
        "held-in anchors moved by" in given_up.values["reason"]
        and "1e-09" in given_up.values["reason"]
    )
    assert [record.values["attempt"] for record in records if record.event == "update"] == [
        0,
        0,
        1,
        1,
        2,
        2,
    ]


def test_a_smaller_attempt_is_kept_where_it_fits_the_budget(new_learner):
    probe = new_learner(**SHARED)
    measured = [
        record.values["anchor_kl"]
        for record in tell(probe, "Lena lives in Oslo.")
        if record.event == "remembered"
    ]
    learner = new_learner(
        **SHARED, **{"facts.guard.kl_budget": measured[0] * 0.9, "facts.guard.shrink": 0.2}
    )
    records = tell(learner, "Lena lives in Oslo.")
    assert events(records) == ["rolled_back", "remembered"]
    kept = next(record for record in records if record.event == "remembered").values["anchor_kl"]
    assert 0 < kept < measured[0] * 0.9
    assert len(learner.memory) == 1


def test_the_measured_kl_is_that_of_the_first_held_in_anchors(new_learner):
    learner = new_learner(**SHARED)
    records = tell(learner, "Lena lives in Oslo.")
    measured = next(record for record in records if record.event == "remembered").values[
        "anchor_kl"
    ]
    rows, logits = learner.lessons.some_anchors(range(4))
    tuned = learner.adapted.logits(rows).log_softmax(-1)
    base = logits.log_softmax(-1)
    assert measured == pytest.approx((base.exp() * (base - tuned)).sum(-1).mean().item(), rel=1e-3)


def test_an_earlier_fact_that_would_be_lost_is_protected(new_learner):
    learner = new_learner(
        **SHARED,
        **{"facts.guard.loss_margin": 1e-6, "facts.guard.recheck_facts": 5, "facts.kl.weight": 0.0},
    )
    tell(learner, "Lena lives in Oslo.")
    (lena,) = learner.memory.all()
    learner.memory.update_loss(lena.id, 1e-4)  # as if it had been known by heart
    before = everything(learner)
    records = tell(learner, "My keys are in the blue drawer.")
    assert events(records)[-1] == "given_up"
    assert "earlier fact would be lost: Lena lives in Oslo." in records[-2].values["reason"]
    assert everything(learner) == before


def test_an_earlier_fact_that_stays_known_lets_the_new_one_in(new_learner):
    learner = new_learner(
        **SHARED, **{"facts.guard.loss_margin": 20.0, "facts.guard.recheck_facts": 5}
    )
    assert (
        events(tell(learner, "Lena lives in Oslo.", "My keys are in the blue drawer."))
        == ["remembered"] * 2
    )


@pytest.mark.parametrize("adapters", ["per_fact", "shared"])
@pytest.mark.parametrize("enabled", [True, False])
def test_an_update_that_is_not_finite_is_rolled_back_even_without_the_guard(
    new_learner, monkeypatch, adapters, enabled
):
    learner = new_learner(**{"facts.learning.placement": adapters, "facts.guard.enabled": enabled})
    tell(learner, "Tom is my friend.")
    before, step = everything(learner), learner.adapted.logits
    monkeypatch.setattr(learner.adapted, "logits", lambda rows: step(rows) * float("nan"))
    records = tell(learner, "Lena lives in Oslo.")
    assert events(records) == ["rolled_back", "rolled_back", "given_up"]
    assert "not finite" in records[-2].values["reason"]
    assert everything(learner)[1:] == before[1:]
    assert adapters == "per_fact" or everything(learner)[0] == before[0]
    monkeypatch.undo()
    assert events(tell(learner, "Lena lives in Oslo.")) == ["remembered"]
    assert all(torch.isfinite(tensor).all() for tensor in learner.adapter.state().values())


def test_behind_a_gate_anchors_count_only_where_it_opens(new_learner, monkeypatch):
    shut = new_learner(**{"facts.guard.kl_budget": 1e-9})
    assert events(tell(shut, "Lena lives in Oslo.")) == ["remembered"]
    wide_open = new_learner(**{"facts.guard.kl_budget": 1e-9})
    monkeypatch.setattr(wide_open.gate, "score", lambda pairs: torch.ones(len(pairs)).numpy())
    assert events(tell(wide_open, "Lena lives in Oslo."))[-1] == "given_up"
    assert len(wide_open.memory) == 0 and len(wide_open.gate) == 0
