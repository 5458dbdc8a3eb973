"""A prefix as an adapter: its parameters are keys and values that stand before a prompt.

Prefix tuning (Li and Liang, 2021, arXiv:2101.00190), begun from what the base computes when it
reads a text (Eyuboglu et al., 2025, arXiv:2506.06266), and trained from one layer up. A frozen LoRA
adapter acts behind it, which was trained to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from fledgling.core.errors import ModelError
from fledgling.models.adapters import Adapter, State
from fledgling.models.prefix import LearnedPrefix, Prefix


class PrefixAdapter(Adapter):
    """``lora`` is what reads; it is frozen, and acts only where a prefix does. Without a prefix
    nothing is changed. Prefixes may be of any length; ``first_layer`` is the first that is trained.
    """

    def __init__(self, lora: Adapter, *, first_layer: int) -> None:
        self.lora, self.loaded, self.section, self.name = lora, lora.loaded, lora.section, lora.name
        self.made_for, self.peft, self.model = lora.made_for, lora.peft, lora.model
        for parameter in lora.parameters.values():
            parameter.requires_grad_(False)
        config = self.model.config
        layers, heads = config.num_hidden_layers, config.num_key_value_heads
        if first_layer >= layers:
            raise ModelError(
                f"facts.prefix.first_layer {first_layer} lies above the model's layers, 0 to"
                f" {layers - 1}; set it to about {layers * 3 // 5}"
            )
        width = getattr(config, "head_dim", 0) or config.hidden_size // config.num_attention_heads
        self.first_layer = first_layer
        self._shape = (1, heads, width)
        self._names = [(f"layers.{n}.keys", f"layers.{n}.values") for n in range(layers)]
        empty = torch.zeros(1, heads, 0, width, device=self.loaded.device)
        self.parameters = {
            name: torch.nn.Parameter(empty.clone())
            for names in self._names[first_layer:]
            for name in names
        }
        self._prefix: LearnedPrefix | None = None
        self._acts = True
        self.reset()

    @property
    def prefix(self) -> Prefix | None:
        """What stands before a prompt while it acts."""
        return self._prefix if self._acts else None

    def begin(self, prefix: Prefix) -> None:
        """Start from a text's keys and values."""
        self.restore(self._as_state(prefix))

    def state(self) -> State:
        """A copy of the keys and values of all layers, in float32; without a prefix, nothing."""
        return self._as_state(self._prefix) if self._prefix else {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put a prefix back exactly. Raises ``ModelError`` where it is another model's."""
        if not state:
            self.reset()
            return
        shapes = {(each.shape[0], each.shape[1], each.shape[3]) for each in state.values()}
        names = [name for layer in self._names for name in layer]
        if set(state) != set(names) or shapes != {self._shape}:
            raise ModelError("this prefix belongs to a model with other layers or heads")
        for name, parameter in self.parameters.items():
            parameter.data = state[name].detach().float().clone().to(self.loaded.device)
        below = self._names[: self.first_layer]
        given = [tuple(self._cast(state[name]) for name in layer) for layer in below]
        above = self._names[self.first_layer :]
        learned = [tuple(self.parameters[name] for name in layer) for layer in above]
        self._prefix = LearnedPrefix(given, learned)
        self._switch(True)

    def reset(self) -> None:
        """No prefix: nothing is changed."""
        self._prefix = None
        for parameter in self.parameters.values():
            parameter.data = parameter.data[:, :, :0]
            parameter.grad = None
        self._switch(False)

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The frozen base, for as long as the block lasts."""
        if not self._acts:
            yield
            return
        self._switch(False)
        try:
            yield
        finally:
            self._switch(self._prefix is not None)

    def norm(self) -> float:
        """Frobenius norm of the trained keys and values; 0 without a prefix."""
        return sum(float(x.detach().square().sum()) for x in self.parameters.values()) ** 0.5

    def _switch(self, acts: bool) -> None:
        self._acts = acts
        tuner = self.peft.base_model
        tuner.enable_adapter_layers() if acts else tuner.disable_adapter_layers()

    def _cast(self, tensor: Tensor) -> Tensor:
        return tensor.detach().clone().to(self.loaded.device, self.model.dtype)

    def _as_state(self, prefix: Prefix) -> State:
        pairs = zip(self._names, prefix.layers, strict=True)
        return {
            name: tensor.detach().float().clone()
            for names, layer in pairs
            for name, tensor in zip(names, layer, strict=True)
        }
