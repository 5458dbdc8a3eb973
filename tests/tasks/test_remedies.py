"""Remedies: what they keep, what they hold, and that a shared first phase changes nothing."""

import math

import numpy as np
import pytest
import torch

from fledgling.facts.learning.penalties import snapshot
from fledgling.tasks.remedies import distillation_loss
from fledgling.tasks.study import Study

SEQUENTIAL = {"strategy": "sequential"}


def test_distillation_is_the_softened_divergence() -> None:
    now = torch.tensor([[0.0, 0.0]], requires_grad=True)
    earlier = torch.tensor([[2 * math.log(3.0), 0.0]])
    expected = (0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)) * 4  # T = 2: odds 3 to 1
    loss = distillation_loss(now, earlier, 2.0)
    assert loss.shape == (1,) and loss.item() == pytest.approx(expected, rel=1e-5)
    loss.sum().backward()
    assert now.grad[0, 0] < 0 < now.grad[0, 1]
    assert distillation_loss(earlier, earlier, 2.0).item() == pytest.approx(0.0, abs=1e-6)


def test_no_remedy_adds_nothing(study: Study) -> None:
    remedy = study.trainer().remedy
    remedy.finish(("math",))
    assert remedy.loss({}, 8) == 0.0


def test_rehearsal_keeps_no_more_than_its_share(study: Study) -> None:
    trainer = study.changed(remedy="rehearsal", **SEQUENTIAL).trainer()
    list(trainer.train())
    kept, answers, _ = trainer.remedy.memory["kindergarten"]
    assert 0 < len(kept.examples) <= 0.05 * len(study.parts["kindergarten"].train.examples)
    assert answers.shape == (len(kept.examples), 26) and "math" not in trainer.remedy.memory


def test_a_memory_of_nothing_is_no_memory(study: Study) -> None:
    trainer = study.changed(remedy="rehearsal", rehearsal_share=0.0, **SEQUENTIAL).trainer()
    list(trainer.train())
    assert trainer.remedy.memory == {}


def test_a_strong_penalty_holds_the_shared_parameters(study: Study) -> None:
    moved = {}
    for strength in (0.0, 1e6):
        trainer = study.changed(
            remedy="ewc", matrix_lr=0.0, ewc_strength=strength, updates_per_epoch=10, **SEQUENTIAL
        ).trainer()
        epochs = trainer.train()
        first = [next(epochs) for _ in range(study.section.epochs)]
        assert {record.phase for record in first} == {0}
        start = snapshot(trainer.model.shared_parameters())
        list(epochs)
        fisher = trainer.remedy.held[0][1]
        moved[strength] = sum(
            float((fisher[name] * (one.detach() - start[name]).square()).sum())
            for name, one in trainer.model.shared_parameters().items()
        )
    assert moved[1e6] < 0.5 * moved[0.0]


def test_distillation_holds_the_answers_to_new_texts(study: Study) -> None:
    changed = {}
    texts = study.parts["math"].validation.inputs
    for strength in (0.0, 100.0):
        trainer = study.changed(
            remedy="distillation",
            distillation_strength=strength,
            updates_per_epoch=10,
            **SEQUENTIAL,
        ).trainer()
        list(trainer.train())
        head, earlier = trainer.model.head("kindergarten"), trainer.remedy.earlier
        with torch.no_grad():
            now = head(trainer.model.backbone(texts))
            before = earlier.head("kindergarten")(earlier.backbone(texts))
        changed[strength] = float(distillation_loss(now, before, 1.0).mean())
    assert changed[100.0] < 0.5 * changed[0.0]


def test_what_is_kept_is_drawn_from_the_seed(study: Study) -> None:
    part = study.parts["math"].train
    one, two, other = (part.some(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.examples == two.examples != other.examples
    assert torch.equal(one.labels, two.labels) and set(one.examples) < set(part.examples)
