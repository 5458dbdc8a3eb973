"""Losses against arithmetic by hand and against torch's own."""

import math

import pytest
import torch

from fledgling.facts.learning.losses import (
    forward_kl,
    kl_weight,
    kl_weight_for_budget,
    row_means,
    weighted_cross_entropy,
)


def logs(*rows):
    return torch.log(torch.tensor(rows))


def test_weighted_cross_entropy_by_hand():
    loss = weighted_cross_entropy(
        logs([0.5, 0.5], [0.9, 0.1]), torch.tensor([0, 1]), torch.tensor([3.0, 1.0])
    )
    assert loss.item() == pytest.approx((3 * math.log(2) + math.log(10)) / 4)


def test_equal_weights_give_the_plain_mean_whatever_their_size():
    logits, targets = (
        torch.randn(7, 11, generator=torch.Generator().manual_seed(0)),
        torch.arange(7),
    )
    plain = torch.nn.functional.cross_entropy(logits, targets)
    for size in (0.1, 1.0, 40.0):
        assert torch.allclose(
            weighted_cross_entropy(logits, targets, torch.full((7,), size)), plain
        )


def test_a_token_of_weight_zero_gets_no_gradient():
    logits = torch.zeros(2, 3, requires_grad=True)
    weighted_cross_entropy(logits, torch.tensor([0, 1]), torch.tensor([1.0, 0.0])).backward()
    assert logits.grad[0].abs().sum() > 0
    assert logits.grad[1].abs().sum() == 0


def test_all_weights_zero_is_refused():
    with pytest.raises(ValueError, match="zero"):
        weighted_cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]), torch.zeros(2))


def test_forward_kl_by_hand_and_not_the_reverse():
    base, tuned = logs([0.5, 0.5], [1.0 - 1e-6, 1e-6]), logs([0.9, 0.1], [1.0 - 1e-6, 1e-6])
    by_hand = (0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)) / 2
    assert forward_kl(base, tuned).item() == pytest.approx(by_hand, rel=1e-4)
    assert forward_kl(tuned, base).item() != pytest.approx(by_hand, rel=0.1)


def test_forward_kl_equals_torch_distributions_and_ignores_shifts():
    generator = torch.Generator().manual_seed(1)
    base, tuned = torch.randn(5, 9, generator=generator), torch.randn(5, 9, generator=generator)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=base), torch.distributions.Categorical(logits=tuned)
    ).mean()
    assert torch.allclose(forward_kl(base, tuned), expected, atol=1e-6)
    assert torch.allclose(forward_kl(base + 3.0, tuned - 2.0), expected, atol=1e-5)
    assert forward_kl(base, base).item() == pytest.approx(0.0, abs=1e-7)


def test_row_means_with_an_empty_row():
    means = row_means(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 2]), 3)
    assert means.tolist() == [2.0, 0.0, 5.0]


@pytest.mark.parametrize(("confidence", "expected"), [(0.0, 0.2), (0.5, 0.11), (1.0, 0.02)])
def test_kl_weight_falls_linearly_with_confidence(confidence, expected):
    assert kl_weight(0.2, confidence=confidence, confident_share=0.1) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("measured", "expected"),
    [(0.10, 2.0), (0.046, 2.0), (0.044, 1.0), (0.03, 1.0), (0.021, 1.0), (0.019, 0.5), (0.0, 0.5)],
)
def test_the_weight_is_steered_towards_the_budget(measured, expected):
    assert (
        kl_weight_for_budget(1.0, measured=measured, budget=0.03, bounds=(0.05, 20.0)) == expected
    )


def test_the_steered_weight_stays_within_bounds():
    high, low = 1.0, 1.0
    for _ in range(20):
        high = kl_weight_for_budget(high, measured=9.0, budget=0.03, bounds=(0.05, 20.0))
        low = kl_weight_for_budget(low, measured=0.0, budget=0.03, bounds=(0.05, 20.0))
    assert (high, low) == (20.0, 0.05)
