"""LoRA adapters on a frozen base: attach, switch off, take out, put back byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from fledgling.core.errors import ModelError
from fledgling.models.loading import LoadedModel
from fledgling.models.prefix import Prefix
from fledgling.models.settings import LoraSection

State = dict[str, torch.Tensor]


class Adapter:
    """One LoRA adapter (Hu et al., 2021) on a frozen model. Its parameters are float32 whatever the
    base's dtype.

    A fresh adapter changes nothing (B = 0), and ``reset`` returns to exactly that unless it is told
    to ``start_from`` something else. ``beside``
    another one it is put on the same model under a name of its own; one of them acts at a time.
    """

    prefix: Prefix | None = None  # what it puts before a prompt instead of the system prompt

    def __init__(
        self,
        loaded: LoadedModel,
        section: LoraSection,
        seed: int = 0,
        *,
        name: str = "default",
        beside: Adapter | None = None,
    ) -> None:
        self.loaded, self.section, self.name = loaded, section, name
        self.made_for = loaded.fingerprint  # of the base alone, so before anything is attached
        torch.manual_seed(seed)
        layers = loaded.model.config.num_hidden_layers
        self.first_layer, last = section.first_layer, section.last_layer % layers
        if self.first_layer > last:
            raise ModelError(
                f"adapter.first_layer {section.first_layer} lies above adapter.last_layer {last};"
                f" the model has layers 0 to {layers - 1}"
            )
        lora = LoraConfig(
            r=section.rank,
            lora_alpha=section.alpha,
            lora_dropout=section.dropout,
            task_type="CAUSAL_LM",
            target_modules=list(section.targets),
            layers_to_transform=list(range(self.first_layer, last + 1)),
        )
        try:
            if beside is None:
                self.peft: PeftModel = get_peft_model(loaded.model, lora, adapter_name=name)
            else:
                self.peft = beside.peft
                self.peft.add_adapter(name, lora)
        except ValueError as error:
            raise ModelError(
                f"adapter.targets {section.targets} do not fit this model: {error}"
            ) from error
        self.peft.eval()
        self.model = self.peft.base_model.model
        self.parameters = {
            full.removeprefix("base_model.model."): parameter
            for full, parameter in self.peft.named_parameters()
            if f".{name}." in full
        }
        for parameter in self.parameters.values():
            parameter.data = parameter.data.float()
        self.act()
        self._fresh = self.state()

    def act(self) -> None:
        """Be the one that acts and learns among the adapters on this model."""
        self.peft.set_adapter(self.name)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """``act``, for as long as the block lasts."""
        before = self.peft.active_adapter
        self.act()
        try:
            yield
        finally:
            self.peft.set_adapter(before)

    def state(self) -> State:
        """A copy of the adapter's tensors."""
        return {name: parameter.detach().clone() for name, parameter in self.parameters.items()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put a state back exactly. Raises ``ModelError`` when names or shapes differ."""
        if state.keys() != self.parameters.keys():
            raise ModelError(
                "this adapter state belongs to another adapter: other layers or projections"
            )
        for name, parameter in self.parameters.items():
            if state[name].shape != parameter.shape:
                raise ModelError(
                    f"adapter tensor {name} has shape {tuple(state[name].shape)}, "
                    f"this adapter needs {tuple(parameter.shape)}"
                )
        for name, parameter in self.parameters.items():
            parameter.data.copy_(state[name])

    def reset(self) -> None:
        """Back to the fresh adapter, which changes nothing, or to what it starts from."""
        self.restore(self._fresh)

    def start_from(self, state: Mapping[str, torch.Tensor]) -> None:
        """Let ``state`` be what ``reset`` returns to. Raises ``ModelError`` as ``restore`` does."""
        self.restore(state)
        self._fresh = self.state()

    @contextmanager
    def dropping_out(self) -> Iterator[None]:
        """LoRA dropout, where configured, acts inside this block only: answers and measurements
        never see it.
        """
        layers = [
            module for name, module in self.peft.named_modules() if name.endswith("lora_dropout")
        ]
        for layer in layers:
            layer.train()
        try:
            yield
        finally:
            for layer in layers:
                layer.eval()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The frozen base, for as long as the block lasts."""
        with self.peft.disable_adapter():
            yield

    def release(self) -> None:
        """Take the adapter off the model, which is then the plain base again."""
        self.peft.unload()

    def norm(self) -> float:
        """Frobenius norm of all of the adapter's B matrices: 0 for a fresh adapter."""
        return (
            sum(
                float(tensor.detach().square().sum())
                for name, tensor in self.parameters.items()
                if "lora_B" in name
            )
            ** 0.5
        )
