"""Aligned adapters: A spans what the rows differ in, and nothing changes until B does."""

import torch

from fledgling.core.records import Example
from fledgling.facts.learning.alignment import align, directions
from fledgling.models.adapters import Adapter
from fledgling.models.rows import AdaptedModel
from fledgling.settings import load_config

ROWS = [
    Example("Who is Tom?", "Tom is your friend.", "question"),
    Example("Hi", "Hello there.", "question"),
]


def test_directions_are_principal_components_of_nearly_equal_deviation():
    torch.manual_seed(0)
    spread = torch.tensor([9.0, 4.0, 1.0, 0.01, 0.01, 0.01])
    inputs = torch.randn(40, 6) * spread + 100.0  # the common part must not count
    found = directions(inputs, 3, damping=0.05)
    parts = (inputs - inputs.mean(0)) @ found.T  # (N, 3)
    covariance = parts.T @ parts / len(parts)
    off = covariance - torch.diag(covariance.diagonal())
    assert off.abs().max() < 1e-3
    deviations = covariance.diagonal().sqrt()
    assert deviations[0] > 0.9 and deviations[0] < deviations[2] * 2 < 2.1  # 9 : 1 before
    assert found[0].abs().argmax() == 0


def test_directions_that_do_not_exist_are_zero():
    inputs = torch.stack([torch.ones(5), torch.arange(5.0)])  # two rows differ in one direction
    found = directions(inputs, 4, damping=0.05)
    assert found[0].norm() > 0 and torch.all(found[1:] == 0)


def test_an_aligned_adapter_changes_nothing_and_tells_tokens_apart(tiny):
    section = load_config(
        overrides={"facts": {"adapter": {"first_layer": 0, "rank": 4}}}
    ).facts.adapter
    adapted = AdaptedModel(Adapter(tiny, section))
    rows = adapted.encode(ROWS)
    before, fresh = adapted.logits(rows), adapted.adapter.state()
    align(adapted, rows, scale=0.5, damping=0.05)
    assert torch.equal(adapted.logits(rows), before)
    aligned = adapted.adapter.state()
    assert all((torch.equal(aligned[name], fresh[name])) == ("lora_B" in name) for name in fresh)
    gate, up = (
        aligned[f"model.layers.0.mlp.{name}.lora_A.default.weight"]
        for name in ("gate_proj", "up_proj")
    )
    assert torch.equal(gate, up)  # they read the same
    adapted.adapter.reset()
    assert all(torch.equal(adapted.adapter.state()[name], fresh[name]) for name in fresh)
