"""One update, checked against plain autograd, and the trainer's state."""

import itertools

import pytest
import torch

from fledgling.core.records import Example
from fledgling.facts.learning.losses import forward_kl
from fledgling.facts.learning.trainer import Batch, OnlineTrainer
from fledgling.models.adapters import Adapter
from fledgling.models.rows import AdaptedModel
from fledgling.models.tiny import to_bytes
from fledgling.settings import load_config

EXAMPLES = [
    Example("Who is Tom?", "Tom is your friend.", "question"),
    Example("Is Tom my friend?", "Yes.", "yes_no"),
]
HELD = [Example("Hi", "Hello.", "anchor"), Example("Why is the sky blue?", "Light.", "anchor")]


def trainer_of(tiny, *, kl=None, penalties=(), **learning):
    config = load_config(
        overrides={
            "facts": {
                "adapter": {"first_layer": 0, "dropout": 0.0},
                "learning": {
                    "clip_norm": 1e9,
                    "weight_decay": 0.0,
                    "stop_loss": 0.0,
                    "max_updates": 5,
                    **learning,
                },
                "kl": kl or {},
            }
        }
    )
    return OnlineTrainer(
        AdaptedModel(Adapter(tiny, config.facts.adapter)),
        config.facts.learning,
        config.facts.kl,
        penalties,
    )


def batch_of(trainer, held=False):
    adapted = trainer.adapted
    rows = adapted.encode(EXAMPLES)
    if not held:
        return Batch(rows)
    held_rows = adapted.encode(HELD)
    return Batch(rows, held_rows, adapted.base_logits(held_rows))


def bytes_of(trainer):
    return to_bytes(trainer.adapted.adapter.state())


def test_the_loss_falls_and_is_the_weighted_cross_entropy_before_the_step(tiny):
    trainer = trainer_of(tiny)
    batch = batch_of(trainer)
    expected = torch.nn.functional.cross_entropy(
        trainer.adapted.logits(batch.rows), batch.rows.targets
    ).item()
    updates = [trainer.step(batch, lr=0.02, kl_weight=0.0) for _ in range(6)]
    assert updates[0].loss == pytest.approx(expected, rel=1e-5)
    assert updates[-1].loss < 0.8 * updates[0].loss
    assert all(update.finite and update.tokens == batch.rows.tokens for update in updates)


def test_the_first_step_is_adam_on_the_gradient_by_autograd(tiny):
    """Adam's first step moves each parameter by lr against its gradient's sign, whatever its
    size.
    """
    trainer = trainer_of(tiny)
    batch, parameters = batch_of(trainer), trainer.adapted.adapter.parameters
    loss = torch.nn.functional.cross_entropy(trainer.adapted.logits(batch.rows), batch.rows.targets)
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    before = trainer.adapted.adapter.state()
    update = trainer.step(batch, lr=0.01, kl_weight=0.0)
    assert update.grad_norm == pytest.approx(
        torch.cat([g.flatten() for g in gradients]).norm().item(), rel=1e-4
    )
    for gradient, (name, parameter) in zip(gradients, parameters.items(), strict=True):
        clear = gradient.abs() > 1e-4
        moved = (parameter.detach() - before[name])[clear]
        assert torch.allclose(moved, -0.01 * gradient[clear].sign(), rtol=1e-3)


def test_the_gradient_is_clipped_to_the_norm(tiny):
    trainer = trainer_of(tiny, clip_norm=0.01)
    trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0)
    gradients = [
        parameter.grad.flatten() for parameter in trainer.adapted.adapter.parameters.values()
    ]
    assert torch.cat(gradients).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_the_frozen_base_never_moves(tiny):
    trainer = trainer_of(tiny)
    frozen = {
        name: tensor.clone()
        for name, tensor in tiny.model.state_dict().items()
        if "lora_" not in name
    }
    for _ in range(3):
        trainer.step(batch_of(trainer), lr=0.05, kl_weight=0.0)
    after = tiny.model.state_dict()
    assert len(frozen) > 10 and all(
        torch.equal(after[name], tensor) for name, tensor in frozen.items()
    )


def test_kl_is_zero_at_first_and_its_weight_holds_the_base(tiny):
    free, held = [], []
    for weight, kept in ((0.0, free), (20.0, held)):
        trainer = trainer_of(tiny)
        batch = batch_of(trainer, held=True)
        updates = [trainer.step(batch, lr=0.02, kl_weight=weight) for _ in range(8)]
        assert updates[0].kl == pytest.approx(0.0, abs=1e-6)
        kept.append(forward_kl(batch.held_logits, trainer.adapted.logits(batch.held)).item())
        trainer.adapted.adapter.release()
    assert held[0] < 0.5 * free[0]


def test_penalties_are_part_of_the_loss(tiny):
    def pull(parameters):
        return 1e4 * sum(
            parameter.square().sum() for name, parameter in parameters.items() if "lora_A" in name
        )

    trainer = trainer_of(tiny, penalties=[pull])
    before = trainer.adapted.adapter.state()
    trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0)
    after = trainer.adapted.adapter.state()
    names = [name for name in before if "lora_A" in name]
    assert names and all(after[name].norm() < before[name].norm() for name in names)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_leaves_adapter_and_optimizer_untouched(tiny, value):
    trainer = trainer_of(tiny)
    trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0)
    tensors, _ = trainer.state()
    batch = batch_of(trainer)
    batch.rows.hidden[0, -1] = value
    batch.rows.hidden[0, 5] = value
    update = trainer.step(batch, lr=0.01, kl_weight=0.0)
    assert not update.finite
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in trainer.state()[0].items())
    assert trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0).finite


def test_learn_stops_when_known_when_spent_and_when_not_finite(tiny):
    trainer = trainer_of(tiny, max_updates=3)
    batch = batch_of(trainer)
    assert len(list(trainer.learn(itertools.repeat(batch), lr=1e-4, kl_weight=0.0))) == 3
    assert len(list(trainer.learn(iter([batch]), lr=1e-4, kl_weight=0.0))) == 1
    batch.rows.hidden[:] = float("nan")
    assert [
        update.finite for update in trainer.learn(itertools.repeat(batch), lr=1e-4, kl_weight=0.0)
    ] == [False]
    trainer.adapted.adapter.release()
    easy = trainer_of(tiny, max_updates=3, stop_loss=1e6)
    assert len(list(easy.learn(itertools.repeat(batch_of(easy)), lr=1e-4, kl_weight=0.0))) == 1


def test_restored_state_gives_the_next_update_bit_for_bit(tiny):
    trainer = trainer_of(tiny, placement="shared", weight_decay=0.01)
    for _ in range(3):
        trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0)
    tensors, values = trainer.state()
    straight = trainer.step(batch_of(trainer, held=True), lr=0.02, kl_weight=0.5)
    expected = bytes_of(trainer)
    trainer.adapted.adapter.release()

    other = trainer_of(tiny, placement="shared", weight_decay=0.01)
    other.restore(tensors, values)
    again = other.step(batch_of(other, held=True), lr=0.02, kl_weight=0.5)
    assert bytes_of(other) == expected
    assert (again.loss, again.kl, again.grad_norm) == (
        straight.loss,
        straight.kl,
        straight.grad_norm,
    )


def test_without_the_optimizer_the_next_update_would_differ(tiny):
    """What makes the test above one that can fail."""
    trainer = trainer_of(tiny)
    for _ in range(3):
        trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0)
    state = trainer.adapted.adapter.state()
    trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0)
    expected = bytes_of(trainer)
    trainer.adapted.adapter.restore(state)
    trainer.optimizer = trainer._fresh_optimizer()
    trainer.step(batch_of(trainer), lr=0.01, kl_weight=0.0)
    assert bytes_of(trainer) != expected


def test_start_fresh_forgets_adapter_and_optimizer(tiny):
    own = trainer_of(tiny, placement="per_fact")
    fresh = bytes_of(own)
    own.step(batch_of(own), lr=0.01, kl_weight=0.0)
    assert bytes_of(own) != fresh
    own.start_fresh()
    assert bytes_of(own) == fresh and not own.optimizer.state


def test_the_kl_weight_is_steered_only_where_asked(tiny):
    kl = {"weight": 1.0, "budget": 0.03, "smallest_weight": 0.05, "largest_weight": 20.0}
    held = trainer_of(tiny, kl={**kl, "hold_budget": True})
    held.steer_kl(0.2)
    assert held.kl_weight == 2.0
    assert held.state()[1]["kl_weight"] == 2.0
    held.steer_kl(0.001)
    held.steer_kl(0.001)
    assert held.kl_weight == 0.5
    held.adapted.adapter.release()
    still = trainer_of(tiny, kl={**kl, "hold_budget": False})
    still.steer_kl(0.2)
    assert still.kl_weight == 1.0


def test_row_losses_are_means_by_row(tiny):
    trainer = trainer_of(tiny)
    adapted = trainer.adapted
    together = trainer.row_losses(adapted.encode(EXAMPLES))
    alone = [
        torch.nn.functional.cross_entropy(adapted.logits(rows), rows.targets).item()
        for rows in (adapted.encode([example]) for example in EXAMPLES)
    ]
    assert together.tolist() == pytest.approx(alone, rel=1e-4)


def test_dropout_acts_in_the_step_but_not_around_it(tiny):
    config = load_config(overrides={"facts": {"adapter": {"first_layer": 0, "dropout": 0.5}}})
    trainer = OnlineTrainer(
        AdaptedModel(Adapter(tiny, config.facts.adapter)), config.facts.learning, config.facts.kl
    )
    batch = batch_of(trainer)
    for _ in range(3):
        trainer.step(batch, lr=0.05, kl_weight=0.0)
    state = trainer.state()
    measured = trainer.row_losses(batch.rows)
    assert torch.equal(measured, trainer.row_losses(batch.rows))
    losses = set()
    for seed in range(3):
        trainer.restore(*state)
        torch.manual_seed(seed)
        losses.add(trainer.step(batch, lr=0.05, kl_weight=0.0).loss)
    assert len(losses) == 3
