"""The multi-task trainer: budgets, strategies, remedies, balancing; what it refuses."""

import pytest
import torch

from fledgling.core.errors import ConfigError
from fledgling.facts.learning.penalties import snapshot
from fledgling.tasks.study import Study

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
    study: Study, strategy: str, remedy: str, balancing: str
) -> None:
    trainer = study.changed(strategy=strategy, remedy=remedy, balancing=balancing).trainer()
    before = snapshot(dict(trainer.model.named_parameters()))
    *_, last = trainer.train()
    assert (last.updates, last.examples, last.run) == (8, 64, strategy)
    assert set(last.accuracy) == {"kindergarten", "math"}
    assert len(last.skills["kindergarten"]) == 10 and len(last.skill_losses["math"]) == 8
    assert set(last.levels["kindergarten"]) <= {"1", "2", "3"}
    assert -1 <= last.conflict <= 1
    after = dict(trainer.model.named_parameters())
    assert not [name for name in before if torch.equal(before[name], after[name])]


@pytest.mark.parametrize("value", ["mixed", "curriculum"])
def test_what_is_configured_is_what_acts(study: Study, value: str) -> None:
    *_, last = study.changed(strategy=value).trainer().train()
    assert last.run == value
    remedy = study.changed(strategy="sequential", remedy="ewc").trainer().remedy
    assert type(remedy).__name__ == "ElasticWeights"
    assert set(
        study.changed(strategy="mixed", balancing="uncertainty").trainer().log_variances
    ) == {
        "kindergarten",
        "math",
    }


def test_training_learns(study: Study) -> None:
    longer = study.changed(epochs=4, updates_per_epoch=30, batch_size=32)
    records = list(longer.trainer().train())
    for task, loss in records[-1].train_loss.items():
        assert loss < 0.8 * records[0].train_loss[task]


def test_the_same_seed_gives_the_same_run(study: Study) -> None:
    one, two = (list(study.trainer().train())[-1] for _ in range(2))
    assert one.train_loss == two.train_loss and one.accuracy == two.accuracy


def test_measuring_changes_nothing(study: Study) -> None:
    silent = list(study.changed(conflict_every=0).trainer().train())[-1]
    assert silent.conflict is None
    assert silent.train_loss == list(study.trainer().train())[-1].train_loss


def test_a_task_alone_sees_the_same_batches(study: Study) -> None:
    alone = study.only("kindergarten").trainer()
    *_, last = alone.train()
    assert alone.tasks == ("kindergarten",) and last.updates == 4
    in_sequence = study.changed(strategy="sequential").trainer().train()
    first = [next(in_sequence) for _ in range(2)][-1]
    assert last.train_loss == pytest.approx(first.train_loss, abs=1e-5)


def test_a_task_alone_needs_no_weight(study: Study) -> None:
    *_, last = study.changed(weights={"math": 2.0}).only("kindergarten").trainer().train()
    assert set(last.accuracy) == {"kindergarten"}


@pytest.mark.parametrize("balancing", ["fixed", "uncertainty", "pcgrad"])
def test_weights_act_under_every_balancing(study: Study, balancing: str) -> None:
    seen = {}
    for weight in (1.0, 1e-6):
        trainer = study.changed(
            strategy="mixed", balancing=balancing, weights={"math": weight}, matrix_lr=0.0
        ).trainer()
        trainer._update(trainer.tasks, trainer._streams())
        seen[weight] = float(trainer.model.head("math").weight.grad.norm())
    assert seen[1e-6] == pytest.approx(1e-6 * seen[1.0], rel=1e-3)


def test_projected_gradients_do_not_oppose_a_task(study: Study) -> None:
    trainer = study.changed(strategy="mixed", balancing="pcgrad").trainer()
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
def test_what_does_not_go_together_is_refused(study: Study, changes: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study.changed(**changes).trainer()
