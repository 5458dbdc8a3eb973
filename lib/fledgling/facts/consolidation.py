"""Many facts' adapters become one, of a size that does not depend on their number.

Layer by layer, from the lowest adapted one up, every fact's rows pass twice: with the fact's own
adapter, and with what has been merged so far. The merged layer is then the one linear map that
comes nearest, for all rows of all facts at once, to making the second pass what the first is
(``learning.merging``); near-miss questions and anchors pass as the base answers them, and are held
there. Nothing is trained, so it costs a few forward passes a row. Merging adapters by their weights
alone does not look at what they read, and fails on facts (arXiv:2506.13479).

It takes effect whole or not at all, and ``take_back`` undoes it. A fact that was corrected or
forgotten is in none of the rows; where the others were folded before, what they are merged from
anew is the adapter that still knew it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from fledgling.core.errors import ConfigError, DataError
from fledgling.core.records import Example, Fact, StepRecord
from fledgling.facts.flow import learn_fact
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.learning.merging import Ridge
from fledgling.facts.learning.near_misses import contrast
from fledgling.facts.learning.rewording import reword
from fledgling.facts.measuring.anchors import held_in
from fledgling.facts.placements.consolidated import Consolidated
from fledgling.facts.store import CONSOLIDATED, State
from fledgling.models.rows import IGNORED, AdaptedModel, Rows

Stop = Callable[[], bool]
_BATCH = 32  # rows that pass a layer together
_INSIDE = ("gate_proj", "up_proj")  # what the last projection of a layer's MLP reads
_PASSES = 3  # times that a batch is looked at in each layer


def consolidate(learner: OnlineLearner, stop: Stop = lambda: False) -> Iterator[StepRecord]:
    """Merge the adapters of all facts that were trained. Yields ``merging`` after every batch of
    rows in every layer, with the work done and to be done, and at the end ``consolidated``,
    ``interrupted`` or ``refused``, with its reason.

    ``stop`` is asked before every batch. Facts told while it runs keep their own adapters; where
    one that is being merged is forgotten or told anew meanwhile, nothing takes effect. Raises
    ``DataError`` where facts have no adapters of their own.
    """
    placement, started = learner.trained, time.perf_counter()
    if not isinstance(placement, Consolidated):
        raise DataError(
            "only facts with an adapter each can be consolidated; use a recipe with"
            " facts.learning.placement per_fact, such as consolidated"
        )
    _check_shape(learner)
    facts = [entry.fact for entry in learner.memory.entries() if entry.trained]
    if not facts:
        yield _ended(learner, "refused", reason="no fact is remembered that has an adapter")
        return
    merge = Merge(learner, placement.model(), facts)
    for done, work in merge.run():
        if stop():
            yield _ended(learner, "interrupted", done=done, of=work)
            return
        yield StepRecord(learner.turns, "merging", "consolidation", {"done": done, "of": work})
    reason = merge.fault()
    if reason:
        yield _ended(learner, "refused", reason=reason)
        return
    with learner.turn():
        placement.fold([fact.id for fact in facts], merge.state)
    values = {"facts": len(facts), "rows": merge.count, "bytes": learner.store.folded_bytes()}
    seconds = time.perf_counter() - started
    yield _ended(learner, "consolidated", **values, seconds=seconds)


def retell(learner: OnlineLearner, facts: Sequence[Fact]) -> Iterator[StepRecord]:
    """Let a learner know exactly these facts, which another one was told: the missing ones are
    learned, one turn each, and the others forgotten, with what they had left in merged weights.
    Yields what ``flow.learn_fact`` does. Broken off, it goes on from there the next time.
    """
    wanted = {fact.id: fact for fact in facts}
    for fact in learner.memory.all():
        if wanted.get(fact.id) != fact:
            learner.erase(fact.id)
    waiting = {fact.id for fact in learner.waiting()}
    for fact in facts:
        if fact.id in waiting or fact.id not in learner.memory:
            with learner.turn():
                yield from learn_fact(learner, fact)


def take_back(learner: OnlineLearner) -> None:
    """Undo a consolidation: every fact answers from its own adapter again. Raises ``DataError``
    where something was told since, or nothing was consolidated.
    """
    if not learner.store.folded() or not learner.store.changed(CONSOLIDATED):
        raise DataError(
            "the last thing that happened was no consolidation, so there is none to take back;"
            " /undo in the chat takes back what was told"
        )
    learner.undo()


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


def _ended(learner: OnlineLearner, event: str, **values: object) -> StepRecord:
    return StepRecord(learner.turns, event, "consolidation", values)


@dataclass
class _Part:
    """Rows that one adapter answers, on their way up: (B, T, D) states of the two passes."""

    own: dict[str, tuple[Tensor, Tensor]]  # by projection: A (r, D) and B (O, r); empty: the base
    weights: Tensor  # (B, T) of each position
    routed: Tensor
    merged: Tensor
    acts: Tensor | None = None  # what the merged pass gives to the layer's last projection


class Merge:
    """One merging of the adapters of ``facts``. ``state`` is what came of it."""

    def __init__(self, learner: OnlineLearner, model: AdaptedModel, facts: Sequence[Fact]) -> None:
        self.learner, self.model, self.facts = learner, model, list(facts)
        self.section = learner.facts.consolidation
        self.count = 0  # rows
        self.state: State = {}
        self._before = self._told()

    def _told(self) -> dict[str, tuple[Fact, int]]:
        memory = self.learner.memory
        ids = {fact.id for fact in self.facts}
        return {
            entry.fact.id: (entry.fact, entry.count)
            for entry in memory.entries()
            if entry.fact.id in ids
        }

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

    def fault(self) -> str | None:
        """Why what was merged must not take effect."""
        if not all(bool(torch.isfinite(each).all()) for each in self.state.values()):
            return "the merged weights are not finite"
        if self._told() != self._before:
            return "a fact that was being merged was told anew or forgotten; consolidate again"
        return None

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
