"""How much memory a training will need, said before anything is loaded: the dry run."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from fledgling.core.errors import ModelError
from fledgling.feedback.settings import TrainingSection
from fledgling.models.loading import resolve
from fledgling.models.settings import ModelsSection

MB = 2**20
NF4_BYTES = 0.5 + 0.127 / 8  # a weight, with its doubly quantised scales (Dettmers et al., 2023)


@dataclass(frozen=True)
class Memory:
    """Megabytes by what takes them; ``parameters`` are the base's, ``trained`` the adapter's."""

    parameters: int
    trained: int
    base_mb: float
    adapter_mb: float
    activations_mb: float
    shape_known: bool

    @property
    def total_mb(self) -> float:
        return self.base_mb + self.adapter_mb + self.activations_mb


def memory_needed(
    models: ModelsSection, training: TrainingSection, dtype: torch.dtype, *, eight_bit: bool
) -> Memory:
    """What the model and training of a configuration need, from shapes alone.

    A model that is not on this machine is taken at its family's usual shape. Raises ``ModelError``
    where that is not known either.
    """
    config, known = _shape(models)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    width = dtype.itemsize
    embedded = {id(layer.weight) for layer in (model.get_input_embeddings(), _head(model))}
    linear = sum(
        module.weight.numel()
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and id(module.weight) not in embedded
    )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    is_nf4 = models.quantization == "nf4"
    base = linear * (NF4_BYTES if is_nf4 else width) + (parameters - linear) * width
    trained = _trained(model, training)
    state = 2 if eight_bit else 8  # AdamW keeps two numbers a weight
    adapter = trained * (4 + 4 + state)  # weights and gradients are float32
    return Memory(
        parameters,
        trained,
        base / MB,
        adapter / MB,
        _activations(config, training, width) / MB,
        known,
    )


def _shape(models: ModelsSection) -> tuple[PretrainedConfig, bool]:
    try:
        folder = resolve(models.id)
        trust = models.trust_remote_code
        return AutoConfig.from_pretrained(folder, trust_remote_code=trust), True
    except ModelError:
        pass
    named = re.search(r"(\d+(?:\.\d+)?)\s*([bm])\b", models.id.lower())
    family = next((one for one in CONFIG_MAPPING_NAMES if f"/{one}-" in models.id.lower()), None)
    if named is None or family is None:
        raise ModelError(
            f"the shape of {models.id} is not known here: fetch its config.json first, then ask"
            " again"
        )
    config = AutoConfig.for_model(family)
    with torch.device("meta"):
        count = sum(one.numel() for one in AutoModelForCausalLM.from_config(config).parameters())
    said = float(named[1]) * {"b": 1e9, "m": 1e6}[named[2]]
    if not 0.85 <= count / said <= 1.15:
        raise ModelError(
            f"{models.id} is not on this machine, and its family's usual shape has {count:,}"
            " parameters; fetch its config.json first, then ask again"
        )
    return config, False


def _head(model: torch.nn.Module) -> torch.nn.Module:
    return model.get_output_embeddings() or model.get_input_embeddings()


def _trained(model: torch.nn.Module, training: TrainingSection) -> int:
    section, total = training.lora, 0
    layers = model.config.num_hidden_layers
    acting = range(section.first_layer, section.last_layer % layers + 1)
    for name, module in model.named_modules():
        place = re.search(r"\.(\d+)\.", name)
        if name.rpartition(".")[2] in section.targets and place and int(place[1]) in acting:
            total += section.rank * (module.in_features + module.out_features)
    return total


def _activations(config: PretrainedConfig, training: TrainingSection, width: int) -> float:
    """Bytes of activations of one micro-batch: some 16 hidden and 4 inner rows a layer, or, where
    they are recomputed, one hidden row a layer and one layer's whole; and the head's logits in
    float32, with their gradient.
    """
    tokens = training.batch_size * training.max_tokens
    whole = 16 * config.hidden_size + 4 * config.intermediate_size
    layers = config.num_hidden_layers
    kept = layers * config.hidden_size + whole
    rows = layers * whole if training.gradient_checkpointing == "off" else kept
    if training.gradient_checkpointing == "auto" and width == 4:
        rows = layers * whole
    return tokens * (rows * width + 2 * 4 * config.vocab_size)
