"""One fact, a few optimizer steps: the loss in one line, and the update that can be undone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.nn.utils import clip_grad_norm_

from fledgling.facts.learning.alignment import align
from fledgling.facts.learning.losses import (
    forward_kl,
    kl_weight_for_budget,
    row_means,
    weighted_cross_entropy,
)
from fledgling.facts.settings import KLSection, LearningSection
from fledgling.models.rows import AdaptedModel, Rows
from fledgling.models.settings import AdapterSection

Penalty = Callable[[Mapping[str, torch.Tensor]], torch.Tensor]
Constraint = Callable[[], None]


@dataclass(frozen=True)
class Update:
    """One optimizer step: losses before it (nats per token), gradient norm before clipping,
    cost.
    """

    loss: float
    kl: float
    grad_norm: float
    seconds: float
    tokens: int

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.kl) and math.isfinite(self.grad_norm)


@dataclass(frozen=True)
class Batch:
    """What one update learns from: ``rows`` to answer, ``held`` rows whose base logits (N, V) must
    stay.
    """

    rows: Rows
    held: Rows | None = None
    held_logits: torch.Tensor | None = None


class OnlineTrainer:
    """Owns the optimizer of one adapter.

    With one adapter per fact each fact starts from a fresh adapter and optimizer (``begin``), so
    facts cannot disturb each other; a shared adapter keeps both between facts.
    """

    def __init__(
        self,
        adapted: AdaptedModel,
        learning: LearningSection,
        kl: KLSection,
        penalties: Sequence[Penalty] = (),
        constraints: Sequence[Constraint] = (),
    ) -> None:
        self.adapted, self.learning, self.kl = adapted, learning, kl
        self.penalties, self.constraints = tuple(penalties), tuple(constraints)
        self.kl_weight = kl.weight
        self.optimizer = self._fresh_optimizer()

    def _fresh_optimizer(self) -> torch.optim.AdamW:
        learning = self.learning
        return torch.optim.AdamW(
            list(self.adapted.adapter.parameters.values()),
            lr=learning.lr,
            betas=(learning.beta1, learning.beta2),
            weight_decay=learning.weight_decay,
        )

    @property
    def _aligns(self) -> bool:
        """Whether a fact's first minibatch decides what its adapter reads; a shared adapter keeps
        what it has.
        """
        return (
            self.learning.placement in ("per_fact", "retrieved_adapter")
            and self.adapted.adapter.section.start == "aligned"
        )

    def start_fresh(self) -> None:
        """A fresh adapter, which changes nothing, and a fresh optimizer."""
        self.adapted.adapter.reset()
        self.optimizer = self._fresh_optimizer()

    def learn(self, batches: Iterator[Batch], *, lr: float, kl_weight: float) -> Iterator[Update]:
        """Yield one ``Update`` per step until the answers are known well enough or the updates are
        spent.
        """
        last = max(self.learning.max_updates - 1, 1)
        for number, batch in zip(range(self.learning.max_updates), batches, strict=False):
            if number == 0 and self._aligns:
                section: AdapterSection = self.adapted.adapter.section
                align(
                    self.adapted,
                    batch.rows,
                    scale=section.start_scale,
                    damping=section.start_damping,
                )
            rate = lr * (1.0 - self.learning.lr_decay * number / last)
            update = self.step(batch, lr=rate, kl_weight=kl_weight)
            yield update
            if not update.finite or update.loss < self.learning.stop_loss:
                return

    def step(self, batch: Batch, *, lr: float, kl_weight: float) -> Update:
        """One optimizer step. A loss that is not finite leaves the adapter as it was."""
        started = time.perf_counter()
        adapted, parameters = self.adapted, list(self.adapted.adapter.parameters.values())
        with adapted.adapter.dropping_out():
            logits = adapted.logits(batch.rows)
            held = adapted.logits(batch.held) if batch.held is not None else None
        task = weighted_cross_entropy(logits, batch.rows.targets, batch.rows.target_weights)
        kl = forward_kl(batch.held_logits, held) if held is not None else task.new_zeros(())
        penalty = sum(
            (term(adapted.adapter.parameters) for term in self.penalties), task.new_zeros(())
        )
        loss = task + kl_weight * kl + penalty
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = clip_grad_norm_(parameters, self.learning.clip_norm)
        if torch.isfinite(loss) and torch.isfinite(norm):
            for group in self.optimizer.param_groups:
                group["lr"] = lr
            self.optimizer.step()
            for constrain in self.constraints:
                constrain()
        tokens = batch.rows.tokens + (batch.held.tokens if batch.held is not None else 0)
        return Update(task.item(), kl.item(), norm.item(), time.perf_counter() - started, tokens)

    def steer_kl(self, measured: float) -> None:
        """Move the KL weight towards holding the configured budget, where the recipe asks for
        it.
        """
        if self.kl.hold_budget:
            self.kl_weight = kl_weight_for_budget(
                self.kl_weight,
                measured=measured,
                budget=self.kl.budget,
                bounds=(self.kl.smallest_weight, self.kl.largest_weight),
            )

    @torch.no_grad()
    def row_losses(self, rows: Rows) -> torch.Tensor:
        """(B,) mean loss of each row's answer under the adapter as it is, in nats per token."""
        losses = torch.nn.functional.cross_entropy(
            self.adapted.logits(rows), rows.targets, reduction="none"
        )
        return row_means(losses, rows.row_of_target, rows.ids.shape[0])

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, object]]:
        """All that the next update depends on: adapter and optimizer as named tensors, and the KL
        weight.
        """
        names = list(self.adapted.adapter.parameters)
        tensors = {
            f"adapter.{name}": tensor for name, tensor in self.adapted.adapter.state().items()
        }
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer.{key}.{names[number]}": value.clone() for key, value in moments.items()
            }
        return tensors, {"kl_weight": self.kl_weight}

    def restore(self, tensors: Mapping[str, torch.Tensor], values: Mapping[str, object]) -> None:
        """Continue exactly where ``state`` was taken. Raises ``ModelError`` when the adapter has
        other shapes.
        """
        adapter = self.adapted.adapter
        adapter.restore(
            {
                name: tensors[f"adapter.{name}"]
                for name in adapter.parameters
                if f"adapter.{name}" in tensors
            }
        )
        self.optimizer = self._fresh_optimizer()
        saved = self.optimizer.state_dict()
        for number, name in enumerate(adapter.parameters):
            moments = {
                key.split(".")[1]: value.clone()
                for key, value in tensors.items()
                if key.startswith("optimizer.") and key.split(".", 2)[2] == name
            }
            if moments:
                saved["state"][number] = moments
        self.optimizer.load_state_dict(saved)
        self.kl_weight = float(values["kl_weight"])
