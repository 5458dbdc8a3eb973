"""Many facts' LoRA adapters become one, of a size that does not depend on their number.

Layer by layer, from the lowest adapted one up, every fact's rows pass twice: with the fact's own
adapter, and with what has been merged so far. The merged layer is then the one linear map that
comes nearest, for all rows of all facts at once, to making the second pass what the first is
(``learning.merging``); near-miss questions and anchors pass as the base answers them, and are held
there. Nothing is trained, so it costs a few forward passes a row. Merging adapters by their weights
alone does not look at what they read, and fails on facts (arXiv:2506.13479).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from fledgling.core.errors import ConfigError
from fledgling.core.records import Example, Fact
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.learning.merging import Ridge
from fledgling.facts.learning.near_misses import contrast
from fledgling.facts.learning.rewording import reword
from fledgling.facts.measuring.anchors import held_in
from fledgling.facts.placements.consolidated import Consolidated
from fledgling.facts.store import State
from fledgling.models.rows import IGNORED, AdaptedModel, Rows

_BATCH = 32  # rows that pass a layer together
_INSIDE = ("gate_proj", "up_proj")  # what the last projection of a layer's MLP reads
_PASSES = 3  # times that a batch is looked at in each layer


@dataclass
class _Part:
    """Rows that one adapter answers, on their way up: (B, T, D) states of the two passes."""

    own: dict[str, tuple[Tensor, Tensor]]  # by projection: A (r, D) and B (O, r); empty: the base
    weights: Tensor  # (B, T) of each position
    routed: Tensor
    merged: Tensor
    acts: Tensor | None = None  # what the merged pass gives to the layer's last projection


class Merge:
    """One merging of the adapters of ``facts``. ``state`` is what came of it. Raises
    ``ConfigError`` where the merged adapter does not reach every projection that theirs change.
    """

    def __init__(
        self, learner: OnlineLearner, placement: Consolidated, facts: Sequence[Fact]
    ) -> None:
        _check_shape(learner)
        self.learner, self.model, self.facts = learner, placement.model(), list(facts)
        self.section = learner.facts.consolidation
        self.count = 0  # rows
        self.state: State = {}

    @torch.no_grad()
    def run(self) -> Iterator[tuple[int, int]]:
        """Yields after every batch in every layer: batches done, and in all."""
        parts: list[_Part] = []
        plans = list(self._plans())
        first, layers = self.model.adapter.first_layer, self.model.decoder.layers
        done, work = 0, len(plans) * (1 + _PASSES * (len(layers) - first))
        for own, examples, weight in plans:
            parts.append(self._part(own, examples, weight))
            yield (done := done + 1), work
        for number in range(first, len(layers)):
            for _ in self._layer(number, parts):
                yield (done := done + 1), work

    # What is to be merged

    def _plans(self) -> Iterator[tuple[dict, list[Example], float]]:
        """(adapter, rows, weight) a batch; without an adapter the base is held."""
        lessons, section = self.learner.lessons, self.section
        held: list[str] = []
        for fact in self.facts:
            rng = random.Random(f"{self.learner.seed}-{fact.id}")
            rows = lessons.all_examples(fact, rng)
            reworded = [
                Example(reword(row.prompt, section.openings, rng), row.answer, row.kind, fact.id)
                for _ in range(section.rewordings)
                for row in rows
            ]
            near = contrast(fact, lessons.language, lessons.facts.rendering, rng)
            held += rng.sample(near, min(section.near_misses, len(near)))
            own = self._factors(fact.id)
            for some in _batches([*rows, *reworded]):
                yield own, some, 1.0
        for some in _batches([*held, *held_in()]):
            yield {}, self._as_base(some), section.held_weight

    def _as_base(self, prompts: Sequence[str]) -> list[Example]:
        limit = self.learner.facts.kl.answer_tokens
        answers = self.learner.base_answer(prompts, max_new_tokens=limit)
        pairs = zip(prompts, answers, strict=True)
        return [Example(prompt, answer or ".", "anchor") for prompt, answer in pairs]

    def _factors(self, fact_id: str) -> dict[str, tuple[Tensor, Tensor]]:
        """What answers for a fact now: its own adapter, or the one it was folded into."""
        own = self.learner.store.adapter(fact_id)
        adapter = self.learner.adapter if own is not None else self.model.adapter
        state = own if own is not None else adapter.state()
        device, scale = self.model.device, adapter.section.alpha / adapter.section.rank
        return {
            name.partition(".lora_A")[0]: (
                each.to(device),
                scale * state[name.replace("lora_A", "lora_B")].to(device),
            )
            for name, each in state.items()
            if "lora_A" in name
        }

    def _part(self, own: dict, examples: list[Example], weight: float) -> _Part:
        with self.learner.adapter.disabled():
            rows = self.model.encode(examples)
        self.count += len(examples)
        weights = _position_weights(self.model, rows, examples, self.section.prompt_weight)
        return _Part(own, weight * weights, rows.hidden, rows.hidden)

    # One layer of both passes

    def _layer(self, number: int, parts: Sequence[_Part]) -> Iterator[None]:
        """Attention, then gate and up, then down; yields after every part that passed one."""
        layer = self.model.decoder.layers[number]
        names = {each: f"model.layers.{number}.mlp.{each}" for each in (*_INSIDE, "down_proj")}
        base = {each: _weight(getattr(layer.mlp, each)) for each in names}
        width, inner = base["down_proj"].shape
        norm = layer.post_attention_layernorm
        sums = {each: Ridge(width, inner) for each in _INSIDE}
        for part in parts:
            part.routed, part.merged = (
                self._attend(layer, each) for each in (part.routed, part.merged)
            )
            routed, merged = norm(part.routed), norm(part.merged)
            for each, ridge in sums.items():
                wanted = _through(routed, base[each], part.own.get(names[each]))
                ridge.add(merged, wanted - _through(merged, base[each]), part.weights)
            yield
        found = {each: self._solve(names[each], ridge) for each, ridge in sums.items()}
        down = Ridge(inner, width)
        for part in parts:
            routed = [
                _through(norm(part.routed), base[each], part.own.get(names[each]))
                for each in _INSIDE
            ]
            merged = [_through(norm(part.merged), base[each], found[each]) for each in _INSIDE]
            acts = (silu(routed[0]) * routed[1]).to(part.routed.dtype)
            part.acts = (silu(merged[0]) * merged[1]).to(part.merged.dtype)
            own = part.own.get(names["down_proj"])
            part.routed = part.routed + _through(acts, base["down_proj"], own)
            part.merged = part.merged + _through(part.acts, base["down_proj"])
            down.add(part.acts, part.routed - part.merged, part.weights)
            yield
        last = self._solve(names["down_proj"], down)
        for part in parts:
            dtype = part.acts.dtype
            part.merged = (part.merged + _low_rank(part.acts, last)).to(dtype)
            part.routed = part.routed.to(dtype)
            yield

    def _attend(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        geometry = self.model.geometry(hidden)
        with self.learner.adapter.disabled():
            return (
                hidden + layer.self_attn(hidden_states=layer.input_layernorm(hidden), **geometry)[0]
            )

    def _solve(self, name: str, ridge: Ridge) -> tuple[Tensor, Tensor]:
        """The merged map of one projection, which the adapter holds from now on."""
        adapter = self.model.adapter
        factors = ridge.factors(adapter.section.rank, self.section.damping)
        reads, writes = (each.to(self.model.device) for each in factors)
        (down,) = (key for key in adapter.parameters if key.startswith(f"{name}.lora_A"))
        up, rank = down.replace("lora_A", "lora_B"), len(reads)
        self.state |= {key: torch.zeros_like(adapter.parameters[key]) for key in (down, up)}
        self.state[down][:rank] = reads
        self.state[up][:, :rank] = writes * adapter.section.rank / adapter.section.alpha
        return reads, writes


def _batches(rows: list) -> Iterator[list]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]


def _weight(projection: nn.Module) -> Tensor:
    """The frozen weight under an adapter."""
    return getattr(projection, "base_layer", projection).weight


def _through(inputs: Tensor, weight: Tensor, added: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """(…, D) → (…, O) in float32: the frozen map, and what an adapter adds."""
    outputs = (inputs @ weight.T).float()
    return outputs if added is None else outputs + _low_rank(inputs, added)


def _low_rank(inputs: Tensor, factors: tuple[Tensor, Tensor]) -> Tensor:
    reads, writes = factors
    return inputs.float() @ reads.T @ writes.T


def _position_weights(
    model: AdaptedModel, rows: Rows, examples: Sequence[Example], prompt: float
) -> Tensor:
    """(B, T): 1 where an answer is said and from where it is begun, ``prompt`` before that, 0 in
    the padding.
    """
    weights = torch.zeros(rows.ids.shape)
    for place, example in enumerate(examples):
        length = len(model.prompt_ids(example.prompt))
        weights[place, :length] = prompt
        weights[place, max(0, length - model.closing) : length] = 1.0
    weights[rows.labels.cpu() != IGNORED] = 1.0
    return weights.to(rows.ids.device)


def _check_shape(learner: OnlineLearner) -> None:
    """The merged adapter must reach every projection that a fact's own one changes."""
    own, wide = learner.facts.adapter, learner.facts.consolidation.adapter
    inside = {*_INSIDE, "down_proj"}
    if set(own.targets) - inside or set(wide.targets) != inside:
        raise ConfigError(
            "facts.adapter.targets and facts.consolidation.adapter.targets must be gate_proj,"
            " up_proj and down_proj to be consolidated"
        )
    if own.first_layer < wide.first_layer:
        raise ConfigError(
            f"facts.consolidation.adapter.first_layer is {wide.first_layer}, above that of"
            f" facts.adapter; set it to {own.first_layer}"
        )
