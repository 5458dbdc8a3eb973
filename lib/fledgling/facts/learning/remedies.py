"""Remedies of the forgetting analysis for an adapter that all facts share: EWC, null-space
projection, slow weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from fledgling.facts.learning.losses import weighted_cross_entropy
from fledgling.facts.learning.penalties import Tensors, ewc_penalty, fisher_diagonal, snapshot
from fledgling.facts.settings import RegularizerSection
from fledgling.models.adapters import Adapter
from fledgling.models.rows import IGNORED, AdaptedModel, Rows


class OnlineRemedies:
    """What holds a shared adapter back; each part is off where its configured value is 0.

    What it has collected lives as long as the learner: a resumed session collects anew.
    """

    def __init__(self, adapted: AdaptedModel, section: RegularizerSection) -> None:
        self.adapted, self.section = adapted, section
        self.fisher: Tensors = {}
        self.anchor: Tensors = {}
        self.taken: Tensors = {}  # name of a lora_A matrix → (D, K) directions that it may not read

    def penalty(self, parameters: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The elastic penalty in nats, 0 before the first fact. One running Fisher sum and the
        newest weights stand for all earlier facts (online EWC: Schwarz et al., 2018,
        arXiv:1805.06370).
        """
        if not self.fisher:
            return next(iter(parameters.values())).new_zeros(())
        return self.section.ewc * ewc_penalty(parameters, self.anchor, self.fisher)

    def constrain(self) -> None:
        """After a step: take the protected directions out of every A, so that B·A·x stays 0 for
        anchors' x.
        """
        for name, directions in self.taken.items():
            parameter = self.adapted.adapter.parameters[name].data
            parameter.sub_(parameter @ directions @ directions.T)

    def protect(self, rows: Rows) -> None:
        """Find the directions that carry ``null_space`` of the energy of what the adapter reads on
        ``rows`` (null-space projection: Wang et al., 2021, arXiv:2103.07113; AlphaEdit: Fang et
        al., 2024, arXiv:2410.02355).
        """
        for name, energy in second_moments(self.adapted, rows).items():
            self.taken[name] = main_directions(energy, self.section.null_space)
        self.constrain()

    def settle(self, before: Mapping[str, torch.Tensor], fact_rows: Callable[[], Rows]) -> None:
        """After a fact was kept: draw the weights back towards ``before``, then remember what
        matters for the fact.
        """
        slow = self.section.slow_weights
        if slow:
            draw_back(self.adapted.adapter, before, slow)
        if self.section.ewc:
            rows = fact_rows()
            one_by_one = (rows.take([row]) for row in range(rows.ids.shape[0]))
            fresh = fisher_diagonal(self.adapted.adapter.parameters, self._loss, one_by_one)
            self.fisher = {
                name: self.fisher.get(name, 0.0) + value for name, value in fresh.items()
            }
            self.anchor = snapshot(self.adapted.adapter.parameters)

    def _loss(self, rows: Rows) -> torch.Tensor:
        return weighted_cross_entropy(self.adapted.logits(rows), rows.targets, rows.target_weights)


def draw_back(adapter: Adapter, before: Mapping[str, torch.Tensor], share: float) -> None:
    """θ ← share · θ before the fact + (1 − share) · θ after it (Lookahead's slow weights: Zhang et
    al., 2019, arXiv:1907.08610). ``before`` holds the adapter's tensors under "adapter.<name>".
    """
    for name, parameter in adapter.parameters.items():
        parameter.data.lerp_(before[f"adapter.{name}"].to(parameter), share)


def main_directions(energy: torch.Tensor, share: float) -> torch.Tensor:
    """(D, D) second moments → (D, K) orthonormal directions, the fewest that carry ``share`` of the
    trace.

    >>> main_directions(torch.diag(torch.tensor([9.0, 0.9, 0.1])), 0.95).abs().round().tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    values, vectors = torch.linalg.eigh(energy.double())  # ascending
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    carried = values.cumsum(0) / values.sum()
    count = int((carried < share - 1e-12).sum()) + 1
    return vectors[:, :count].to(energy.dtype)


@torch.no_grad()
def second_moments(adapted: AdaptedModel, rows: Rows) -> Tensors:
    """Name of each lora_A matrix → (D, D) sum of x xᵀ over what its module reads on ``rows``,
    padding left out.
    """
    moments: Tensors = {}
    real = (rows.labels != IGNORED).flip(1).cumsum(1).flip(1) > 0  # (B, T) up to a row's last label
    handles = []
    for name in [name for name in adapted.adapter.parameters if ".lora_A." in name]:
        module = adapted.adapter.model.get_submodule(name.split(".lora_A.")[0])

        def collect(
            _module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], name: str = name
        ) -> None:
            read = inputs[0][real].float()
            moments[name] = read.T @ read

        handles.append(module.register_forward_pre_hook(collect))
    try:
        adapted.base_logits(rows)
    finally:
        for handle in handles:
            handle.remove()
    return moments
