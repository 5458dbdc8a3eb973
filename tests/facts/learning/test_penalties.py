"""EWC against hand arithmetic."""

import pytest
import torch

from fledgling.facts.learning.penalties import ewc_penalty, fisher_diagonal, snapshot


def test_fisher_is_the_mean_squared_gradient() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    unused = torch.nn.Parameter(torch.ones(3))
    fisher = fisher_diagonal(
        {"w": weight, "u": unused},
        lambda x: (weight * x).sum(),
        [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 0.0])],
    )
    assert fisher["w"].tolist() == [(1 + 9) / 2, (4 + 0) / 2]
    assert fisher["u"].tolist() == [0.0, 0.0, 0.0]
    assert weight.grad is None


def test_penalty_by_hand_and_its_gradient() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    anchor = snapshot({"w": weight})
    weight.data += torch.tensor([0.5, -1.0])
    penalty = ewc_penalty({"w": weight}, anchor, {"w": torch.tensor([4.0, 10.0])})
    assert penalty.item() == pytest.approx(0.5 * (4 * 0.25 + 10 * 1.0))
    penalty.backward()
    assert weight.grad.tolist() == pytest.approx([4 * 0.5, -10.0])


def test_no_penalty_at_the_anchor() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2))
    assert (
        ewc_penalty({"w": weight}, snapshot({"w": weight}), {"w": torch.ones(2, 2)}).item() == 0.0
    )
