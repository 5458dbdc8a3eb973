"""Drift against arithmetic by hand and a second implementation."""

import math

import pytest
import torch

from fledgling.facts.learning.losses import forward_kl
from fledgling.facts.measuring.stability import (
    Drift,
    drift,
    stability_metrics,
)

BASE = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]))
TUNED = torch.log(torch.tensor([[0.3, 0.5, 0.2], [0.1, 0.8, 0.1]]))
TARGETS = torch.tensor([0, 1])


def test_drift_by_hand():
    measured = drift(BASE, TUNED, TARGETS)
    assert (measured.tokens, measured.kept) == (2, 1)
    assert measured.kl == pytest.approx(0.5 * math.log(5 / 3) + 0.3 * math.log(3 / 5), rel=1e-5)
    assert measured.base_nll == pytest.approx(-math.log(0.5) - math.log(0.8), rel=1e-5)
    assert measured.nll == pytest.approx(-math.log(0.3) - math.log(0.8), rel=1e-5)


def test_metrics_by_hand():
    metrics = stability_metrics(drift(BASE, TUNED, TARGETS), [True, True, False])
    assert metrics["locality"] == 0.5
    assert metrics["anchor_ppl_ratio"] == pytest.approx(math.sqrt(5 / 3), rel=1e-5)
    assert metrics["answers_unchanged"] == pytest.approx(2 / 3)


def test_kl_per_token_is_the_loss_of_the_same_name():
    generator = torch.Generator().manual_seed(0)
    base, tuned = torch.randn(6, 13, generator=generator), torch.randn(6, 13, generator=generator)
    total = drift(base, tuned, torch.arange(6))
    assert stability_metrics(total, [])["anchor_kl"] == pytest.approx(
        forward_kl(base, tuned).item(), rel=1e-5
    )


def test_parts_add_up_to_the_whole():
    parts = drift(BASE[:1], TUNED[:1], TARGETS[:1]) + drift(BASE[1:], TUNED[1:], TARGETS[1:])
    whole = drift(BASE, TUNED, TARGETS)
    assert (parts.tokens, parts.kept) == (whole.tokens, whole.kept)
    assert parts.kl == pytest.approx(whole.kl) and parts.nll == pytest.approx(whole.nll)


def test_an_untouched_model_has_not_moved_and_no_anchors_give_none():
    metrics = stability_metrics(drift(BASE, BASE, TARGETS), [True])
    assert metrics == {
        "anchor_kl": 0.0,
        "locality": 1.0,
        "anchor_ppl_ratio": 1.0,
        "answers_unchanged": 1.0,
    }
    assert set(stability_metrics(Drift(), []).values()) == {None}
