"""Losses and gradients of several tasks against hand arithmetic."""

import math

import pytest
import torch

from fledgling.tasks.balancing import (
    cosine,
    gradient,
    project_conflicts,
    set_gradient,
    uncertainty_weighted,
    weighted,
)


def test_uncertainty_weighting_by_hand() -> None:
    variances = {"a": torch.tensor(0.0), "b": torch.tensor(math.log(2.0))}
    losses = {"a": torch.tensor(3.0), "b": torch.tensor(4.0)}
    total = uncertainty_weighted(losses, variances, 1.0)
    assert total.item() == pytest.approx(3.0 + 4.0 / 2 + 0.5 * math.log(2.0))
    half = {task: loss / 2 for task, loss in losses.items()}
    both = 2 * uncertainty_weighted(half, variances, 0.5)
    assert both.item() == pytest.approx(total.item()), "two processes add up to one"


def test_weights_scale_a_task() -> None:
    losses = {"a": torch.tensor(3.0), "b": torch.tensor(4.0)}
    assert weighted(losses, {"b": 0.5}) == {"a": 3.0, "b": 2.0}


def test_a_gradient_is_flat_and_0_where_nothing_is_reached() -> None:
    used, unused = torch.nn.Parameter(torch.ones(1, 2)), torch.nn.Parameter(torch.ones(3))
    flat = gradient((used * torch.tensor([1.0, 2.0])).sum(), [used, unused])
    assert flat.tolist() == [1.0, 2.0, 0.0, 0.0, 0.0]
    set_gradient(2 * flat, [used, unused])
    assert used.grad.tolist() == [[2.0, 4.0]] and unused.grad.tolist() == [0.0] * 3


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
