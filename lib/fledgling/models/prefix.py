"""Keys and values that stand before a prompt: what the base read there, or what was learned."""

from __future__ import annotations

from torch import Tensor, cat
from transformers import DynamicCache

Layer = tuple[Tensor, Tensor]  # keys and values, each (1, H, P, D)


class Prefix:
    """The base's keys and values of the shared prompt prefix, in the form that attention layers
    update.

    It never grows: each update returns prefix + new, so the same object serves every minibatch.
    """

    def __init__(self, layers: list[Layer]) -> None:
        self.layers = layers
        self.length = layers[0][0].shape[2]

    def update(self, keys: Tensor, values: Tensor, layer: int, *_: object) -> tuple[Tensor, Tensor]:
        """(B, H, T, D) new keys and values → (B, H, P + T, D) with the prefix before them."""
        old_keys, old_values = self.layers[layer]
        rows = keys.shape[0]
        return (
            cat([old_keys.expand(rows, -1, -1, -1), keys], dim=2),
            cat([old_values.expand(rows, -1, -1, -1), values], dim=2),
        )

    def as_cache(self, rows: int) -> DynamicCache:
        """A growing cache for generation, filled with the prefix for ``rows`` rows."""
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(self.layers):
            cache.update(
                keys.expand(rows, -1, -1, -1).contiguous(),
                values.expand(rows, -1, -1, -1).contiguous(),
                layer,
            )
        return cache


class LearnedPrefix(Prefix):
    """``given`` are the lowest layers, ``learned`` those above, whose tensors are parameters in
    float32.
    """

    def __init__(self, given: list[Layer], learned: list[Layer]) -> None:
        self.given, self.learned = given, learned
        self.length = learned[0][0].shape[2]

    @property
    def layers(self) -> list[Layer]:
        """All layers, lowest first, in the model's precision."""
        dtype = self.given[0][0].dtype if self.given else self.learned[0][0].dtype
        return [*self.given, *((keys.to(dtype), values.to(dtype)) for keys, values in self.learned)]
