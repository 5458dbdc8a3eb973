"""From adapter to the files that people run: merged into the 16-bit base, as GGUF, and as a PEFT
folder; every hop is held against the one before.

Merging into a 4-bit base would round the adapter away, so the base is loaded anew in full width.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fledgling.core.errors import ModelError
from fledgling.core.files import storing
from fledgling.core.runtime import Runtime
from fledgling.models.generation import chat_text
from fledgling.models.gguf_files import FORMS, tensor_types, write_gguf
from fledgling.models.loading import LoadedModel, load_model, quiet_gguf
from fledgling.models.peft_folders import attach_peft
from fledgling.models.settings import ModelsSection


@dataclass(frozen=True)
class Hop:
    """One step of the way, held against the merged model: share of positions with the same top
    token, mean KL(merged‖hop) in nats a token, share of texts with equal token ids, bytes on disk,
    and how many tensors of each type were written.
    """

    name: str
    top1: float
    kl: float
    same_ids: float
    bytes: int
    types: dict[str, int]


def merged_model(section: ModelsSection, adapter: Path) -> LoadedModel:
    """The base in full width with the adapter's change added to its weights, rounded to 16 bits.

    Raises ``ModelError`` for an adapter of another model.
    """
    full = section.model_copy(update={"quantization": "none"})
    base = load_model(full, Runtime(torch.device("cpu"), torch.float32, 0, 0))
    merged = attach_peft(base, adapter).merge_and_unload()
    # rounded to what is stored, computed in float32: hops then differ by their weights alone.
    # Parameters only: rotary frequencies, a buffer, would lose their precision for good.
    for parameter in merged.parameters():
        parameter.data = parameter.data.half().float()
    return replace(base, model=merged.eval().requires_grad_(False))


def export(
    section: ModelsSection,
    adapter: Path,
    folder: Path,
    forms: Sequence[str],
    texts: Sequence[str],
) -> Iterator[Hop]:
    """Write ``folder`` whole or not at all: ``merged/`` (float16), a ``model.<form>.gguf``
    for each form, ``adapter/`` (PEFT); yield each hop as it is verified on ``texts``, the adapter's
    first.

    Raises ``ModelError`` for an adapter of another model, a form that does not exist, or a folder
    that does; ``StorageError`` where the disk is full.
    """
    if folder.exists():
        raise ModelError(f"{folder} exists already; give the export a folder of its own")
    unknown = [form for form in forms if form not in FORMS]
    if unknown:
        raise ModelError(f"GGUF form {unknown[0]!r} is not known; there are {', '.join(FORMS)}")
    merged = merged_model(section, adapter)
    ids = token_ids(merged, texts)
    wanted = top_and_logs(merged, ids)
    hidden = folder.parent / f".{folder.name}.export"
    shutil.rmtree(hidden, ignore_errors=True)
    try:
        with storing(folder):
            hidden.mkdir(parents=True)
            shutil.copytree(adapter, hidden / "adapter")
            yield _adapter_hop(section, hidden / "adapter", ids, wanted)
            _save_half(merged, hidden / "merged")
            yield _merged_hop(section, hidden / "merged", ids, wanted)
            for form in forms:
                path = hidden / f"model.{form}.gguf"
                write_gguf(merged, path, form)
                yield verified(path, form, texts, ids, wanted)
            hidden.rename(folder)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _save_half(merged: LoadedModel, folder: Path) -> None:
    state = {name: tensor.half() for name, tensor in merged.model.state_dict().items()}
    if merged.model.config.tie_word_embeddings:
        del state["lm_head.weight"]
    merged.model.config.dtype = torch.float16
    merged.model.save_pretrained(folder, state_dict=state)
    merged.tokenizer.save_pretrained(folder)


def _adapter_hop(
    section: ModelsSection, adapter: Path, ids: list[list[int]], wanted: list[torch.Tensor]
) -> Hop:
    full = section.model_copy(update={"quantization": "none"})
    base = load_model(full, Runtime(torch.device("cpu"), torch.float32, 0, 0))
    acting = replace(base, model=attach_peft(base, adapter))
    top1, kl = compared(wanted, top_and_logs(acting, ids))
    return Hop("adapter", top1, kl, 1.0, folder_bytes(adapter), {})


def _merged_hop(
    section: ModelsSection, folder: Path, ids: list[list[int]], wanted: list[torch.Tensor]
) -> Hop:
    """The folder as transformers reads it, in float32."""
    from transformers import AutoModelForCausalLM

    trust = section.trust_remote_code
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=trust
    )
    top1, kl = compared(wanted, top_and_logs(LoadedModel(model.eval(), None), ids))
    return Hop("merged", top1, kl, 1.0, folder_bytes(folder), {})


def verified(
    path: Path, form: str, texts: Sequence[str], ids: list[list[int]], wanted: list[torch.Tensor]
) -> Hop:
    """A GGUF file read back by transformers, with tokenizer and template of its own."""
    types = tensor_types(path)
    loaded = load_gguf(path)
    own = token_ids(loaded, texts)
    same = sum(a == b for a, b in zip(ids, own, strict=True)) / max(len(ids), 1)
    top1, kl = compared(wanted, top_and_logs(loaded, ids))
    return Hop(form, top1, kl, same, path.stat().st_size, types)


def load_gguf(path: Path) -> LoadedModel:
    """A GGUF file as a model in float32 with the file's own tokenizer. Raises ``ModelError`` when
    it is cut short.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tensor_types(path)
    place, options = path.parent, {"gguf_file": path.name, "trust_remote_code": False}
    try:
        with quiet_gguf():
            model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, **options)
        tokenizer = AutoTokenizer.from_pretrained(place, **options)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"{path} cannot be loaded: {error}") from error
    return LoadedModel(model.eval().requires_grad_(False), tokenizer)


def token_ids(loaded: LoadedModel, texts: Sequence[str]) -> list[list[int]]:
    """Each text as a user's turn, in the ids that the model would be given."""
    return [
        loaded.tokenizer(chat_text(loaded, text), add_special_tokens=False)["input_ids"]
        for text in texts
    ]


@torch.no_grad()
def top_and_logs(loaded: LoadedModel, ids: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """Log-probabilities (T, V) at every position of each row of ids."""
    rows = [torch.tensor([list(row)], device=loaded.device) for row in ids]
    return [loaded.model(input_ids=row).logits[0].float().log_softmax(-1) for row in rows]


def compared(wanted: Sequence[torch.Tensor], found: Sequence[torch.Tensor]) -> tuple[float, float]:
    """Share of positions with the same top token, and mean KL(wanted‖found) in nats a token."""
    same = divergence = count = 0.0
    for right, other in zip(wanted, found, strict=True):
        width = min(right.shape[-1], other.shape[-1])
        same += float((right[:, :width].argmax(-1) == other[:, :width].argmax(-1)).sum())
        divergence += float((right.exp() * (right - other)).sum())
        count += len(right)
    return same / max(count, 1.0), max(0.0, divergence / max(count, 1.0))


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
