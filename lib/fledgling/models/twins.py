"""A second module tree over the same weights: it can carry an adapter in training while the first
one goes on answering.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from peft.tuners.tuners_utils import BaseTunerLayer

from fledgling.models.loading import LoadedModel


def twin(loaded: LoadedModel) -> LoadedModel:
    """The plain base of ``loaded`` as modules of its own: weights are shared, not copied, and
    adapters on ``loaded`` are left behind.
    """
    tensors = [*loaded.model.parameters(), *loaded.model.buffers()]
    model = copy.deepcopy(loaded.model, {id(tensor): tensor for tensor in tensors})
    for name, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, module.get_base_layer())
    return replace(loaded, model=model)
