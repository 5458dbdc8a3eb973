"""Losses of several tasks against hand arithmetic."""

import math

import pytest
import torch

from fledgling.tasks.losses import (
    cosine,
    distillation_loss,
    project_conflicts,
    uncertainty_weighted,
)


def test_distillation_is_the_softened_divergence() -> None:
    now, earlier = (
        torch.tensor([[0.0, 0.0]], requires_grad=True),
        torch.tensor([[2 * math.log(3.0), 0.0]]),
    )
    expected = (0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)) * 4  # T = 2: odds 3 to 1
    loss = distillation_loss(now, earlier, 2.0)
    assert loss.shape == (1,) and loss.item() == pytest.approx(expected, rel=1e-5)
    loss.sum().backward()
    assert now.grad[0, 0] < 0 < now.grad[0, 1]
    assert distillation_loss(earlier, earlier, 2.0).item() == pytest.approx(0.0, abs=1e-6)


def test_uncertainty_weighting_by_hand() -> None:
    variances = {"a": torch.tensor(0.0), "b": torch.tensor(math.log(2.0))}
    total = uncertainty_weighted({"a": torch.tensor(3.0), "b": torch.tensor(4.0)}, variances)
    assert total.item() == pytest.approx(3.0 + 4.0 / 2 + 0.5 * math.log(2.0))


def test_gradients_that_agree_are_summed() -> None:
    one, two = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
    assert project_conflicts([one, two], torch.Generator().manual_seed(0)).tolist() == [2.0, 1.0]


def test_conflicting_gradients_lose_what_opposes() -> None:
    one, two = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])
    result = project_conflicts([one, two], torch.Generator().manual_seed(0))
    assert result.tolist() == pytest.approx([0.5, 1.5])  # (1, 0) + ½ (−1, 1), and (−1, 1) + (1, 0)
    assert one.tolist() == [1.0, 0.0]
    assert result @ one >= 0 and result @ two >= 0


def test_cosine() -> None:
    assert cosine(torch.tensor([1.0, 0.0]), torch.tensor([-2.0, 0.0])) == pytest.approx(-1.0)
    assert cosine(torch.zeros(2), torch.ones(2)) == 0.0
