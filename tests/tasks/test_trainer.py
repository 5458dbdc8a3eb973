"""The multi-task trainer: budgets, strategies, remedies, balancing; what it refuses."""

import copy
from itertools import pairwise

import pytest
import torch

from fledgling.core.errors import ConfigError
from fledgling.facts.learning.penalties import snapshot
from fledgling.tasks.experiments import Setting
from fledgling.tasks.optimizers import rate_share
from fledgling.tasks.trainer import MultitaskTrainer

COMBINATIONS = [
    ("alternating", "none", "fixed"),
    ("mixed", "none", "fixed"),
    ("mixed", "none", "uncertainty"),
    ("mixed", "none", "pcgrad"),
    ("sequential", "none", "fixed"),
    ("sequential", "rehearsal", "fixed"),
    ("sequential", "ewc", "fixed"),
    ("sequential", "distillation", "fixed"),
    ("curriculum", "rehearsal", "fixed"),
]


@pytest.mark.parametrize(("strategy", "remedy", "balancing"), COMBINATIONS)
def test_every_combination_trains_and_reports(
    setting: Setting, strategy: str, remedy: str, balancing: str
) -> None:
    trainer = setting.trainer(strategy=strategy, remedy=remedy, balancing=balancing)
    before = snapshot(dict(trainer.model.named_parameters()))
    records = list(trainer.train())
    last = records[-1].values
    assert last["updates"] == 8 and last["examples"] == 64
    assert set(last["accuracy"]) == {"kindergarten", "math"}
    assert len(last["skills"]["kindergarten"]) == 10 and len(last["skill_losses"]["math"]) == 8
    assert -1 <= last["conflict"] <= 1
    after = dict(trainer.model.named_parameters())
    assert not [name for name in before if torch.equal(before[name], after[name])]


def test_training_learns(setting: Setting) -> None:
    longer = setting.section.model_copy(
        update={"epochs": 4, "updates_per_epoch": 30, "batch_size": 32}
    )
    records = list(MultitaskTrainer(setting.model(), setting.parts, longer).train())
    for task, loss in records[-1].values["train_loss"].items():
        assert loss < 0.8 * records[0].values["train_loss"][task]


def test_the_same_seed_gives_the_same_run(setting: Setting) -> None:
    one, two = (list(setting.trainer().train())[-1].values for _ in range(2))
    assert one["train_loss"] == two["train_loss"] and one["accuracy"] == two["accuracy"]


def test_a_task_alone_sees_the_same_batches(setting: Setting) -> None:
    alone = setting.only("kindergarten").trainer()
    records = list(alone.train())
    assert alone.tasks == ("kindergarten",) and records[-1].values["updates"] == 4
    first = list(setting.trainer(strategy="sequential").train(phases=1))
    assert records[-1].values["train_loss"] == pytest.approx(
        first[-1].values["train_loss"], abs=1e-5
    )


def test_sharing_the_first_phase_changes_nothing(setting: Setting) -> None:
    whole = list(setting.trainer(strategy="sequential", remedy="rehearsal").train())
    first = setting.trainer(strategy="sequential")
    list(first.train(phases=1))
    later = setting.trainer(
        strategy="sequential", remedy="rehearsal", model=copy.deepcopy(first.model)
    )
    assert list(later.train(first_phase=1))[-1].values["loss"] == pytest.approx(
        whole[-1].values["loss"]
    )


def test_rehearsal_keeps_no_more_than_its_share(setting: Setting) -> None:
    trainer = setting.trainer(strategy="sequential", remedy="rehearsal")
    list(trainer.train())
    whole = len(setting.parts["kindergarten"]["train"].examples)
    assert 0 < len(trainer.remedy.memory["kindergarten"]) <= 0.05 * whole


def test_a_strong_penalty_holds_the_shared_parameters(setting: Setting) -> None:
    moved = {}
    for strength in (0.0, 1e6):
        section = setting.section.model_copy(
            update={
                "strategy": "sequential",
                "remedy": "ewc",
                "matrix_lr": 0.0,
                "ewc_strength": strength,
                "updates_per_epoch": 10,
            }
        )
        trainer = MultitaskTrainer(setting.model(), setting.parts, section)
        list(trainer.train(phases=1))
        start = snapshot(trainer.model.shared_parameters())
        list(trainer.train(first_phase=1))
        fisher = trainer.remedy.held[0][1]
        moved[strength] = sum(
            float((fisher[name] * (one.detach() - start[name]).square()).sum())
            for name, one in trainer.model.shared_parameters().items()
        )
    assert moved[1e6] < 0.5 * moved[0.0]


def test_weights_scale_a_task(setting: Setting) -> None:
    section = setting.section.model_copy(update={"weights": {"math": 1e-9}, "strategy": "mixed"})
    trainer = MultitaskTrainer(setting.model(), setting.parts, section)
    losses = {task: torch.tensor(1.0) for task in trainer.tasks}
    assert float(trainer._balanced(losses)) == pytest.approx(1.0)


def test_projected_gradients_do_not_oppose_a_task(setting: Setting) -> None:
    trainer = setting.trainer(strategy="mixed", balancing="pcgrad")
    gradients = trainer.task_gradients()
    assert set(gradients) == {"kindergarten", "math"} and trainer.conflict() == pytest.approx(
        float(torch.nn.functional.cosine_similarity(*gradients.values(), dim=0)), abs=1e-5
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"chess": 1.0}}, "names 'chess'"),
        ({"balancing": "pcgrad"}, "needs updates that see all tasks"),
        ({"remedy": "ewc"}, "acts in later phases"),
    ],
)
def test_what_does_not_go_together_is_refused(
    setting: Setting, changes: dict, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        MultitaskTrainer(setting.model(), setting.parts, setting.section.model_copy(update=changes))


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_share(number, 100, 10) for number in range(100)]
    assert rates[9] == rates[10] == 1.0 and rates[0] == 0.1 and rates[-1] < 0.01
    assert all(later <= earlier for earlier, later in pairwise(rates[10:]))
