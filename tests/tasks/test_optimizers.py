"""Muon against the singular value decomposition, and against its own definition block by block;
rates.
"""

from itertools import pairwise

import torch

from fledgling.settings import load_config
from fledgling.tasks.optimizers import Muon, Optimizers, orthogonalise, rate_share

SECTION = load_config(overrides={"tasks.weight_decay": 0.0, "tasks.muon_steps": 5}).tasks


def test_singular_values_end_near_one() -> None:
    torch.manual_seed(0)
    matrices = torch.randn(3, 24, 24) * torch.tensor([1e-3, 1.0, 1e3]).view(3, 1, 1)
    values = torch.linalg.svdvals(orthogonalise(matrices, 6))
    assert values.median() > 0.7 and values.max() < 1.3


def test_directions_are_kept() -> None:
    torch.manual_seed(1)
    matrix = torch.randn(1, 16, 16)
    left, _, right = torch.linalg.svd(matrix)
    agreement = left.transpose(-1, -2) @ orthogonalise(matrix, 6) @ right.transpose(-1, -2)
    off = agreement - torch.diag_embed(agreement.diagonal(dim1=-2, dim2=-1))
    assert off.abs().max() < 1e-3


def test_a_step_updates_every_block_by_itself() -> None:
    torch.manual_seed(2)
    wide, tall, square = (
        torch.nn.Parameter(torch.zeros(shape)) for shape in ((8, 16), (24, 8), (8, 8))
    )
    gradients = [torch.randn_like(one) for one in (wide, tall, square)]
    for one, gradient in zip((wide, tall, square), gradients, strict=True):
        one.grad = gradient.clone()
    Muon([wide, tall, square], SECTION, lr=0.1).step()
    expected = orthogonalise(gradients[0][None, :, 8:], 5)[0] * -0.1
    assert torch.allclose(wide[:, 8:], expected, atol=1e-5)
    assert torch.allclose(
        tall[8:16], orthogonalise(gradients[1][None, 8:16], 5)[0] * -0.1, atol=1e-5
    )


def test_it_descends() -> None:
    torch.manual_seed(3)
    matrix, goal = torch.nn.Parameter(torch.randn(8, 8)), torch.randn(8, 8)
    optimizer = Muon([matrix], SECTION, lr=0.1)
    losses = []
    for _ in range(80):
        loss = (matrix - goal).square().mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.1 * losses[0]


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_share(number, 100, 10) for number in range(100)]
    assert rates[9] == rates[10] == 1.0 and rates[0] == 0.1 and rates[-1] < 0.01
    assert all(later <= earlier for earlier, later in pairwise(rates[10:]))


def test_all_parameters_follow_the_rate() -> None:
    matrix, other = torch.nn.Parameter(torch.zeros(16, 16)), torch.nn.Parameter(torch.zeros(4))
    section = load_config(overrides={"tasks.graph.hidden": 16, "tasks.warmup_share": 0.5}).tasks
    both = Optimizers({"a.layers.0": matrix, "b": other}, section, updates=4, factor=0.5)
    rates = []
    for _ in range(4):
        matrix.grad, other.grad = torch.ones(16, 16), torch.ones(4)
        rates.append([one.param_groups[0]["lr"] for one in both.all])
        both.step()
    adam, muon = zip(*rates, strict=True)
    peaks = [0.5 * section.lr, 0.5 * section.matrix_lr]
    assert [max(adam), max(muon)] == peaks
    assert [adam[0], muon[0]] == [peak / 2 for peak in peaks] and matrix.grad is None
