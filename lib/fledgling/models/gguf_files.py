"""A Llama-shaped model as a GGUF file, written with the official ``gguf`` package: weights,
tokenizer, chat template. It appears whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type

from fledgling.core.errors import ModelError
from fledgling.core.files import write_atomically
from fledgling.models.loading import LoadedModel

FORMS = {
    "f16": (Type.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (Type.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (Type.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}


def write_gguf(loaded: LoadedModel, path: Path, form: str, *, pre: str = "smollm") -> None:
    """Write a merged model. ``form`` is f16, q8_0 or q4_0; ``pre`` is llama.cpp's name for the way
    the tokenizer splits text into words.

    Raises ``ModelError`` for a model that is no Llama or still carries an adapter, ``StorageError``
    where the disk does not take the file.
    """
    if form not in FORMS:
        raise ModelError(f"GGUF form {form!r} is not known; there are {', '.join(FORMS)}")
    if loaded.model.config.model_type not in ("llama", "mistral"):
        raise ModelError(
            f"a {loaded.model.config.model_type} cannot be written as GGUF here; only models of"
            " the Llama family (llama, mistral) can"
        )
    write_atomically(path, lambda temporary: _write(loaded, temporary, form, pre))


def _write(loaded: LoadedModel, path: Path, form: str, pre: str) -> None:
    writer = gguf.GGUFWriter(str(path), "llama")
    try:
        _describe(writer, loaded, form)
        _add_tokenizer(writer, loaded, pre)
        _add_tensors(writer, loaded, FORMS[form][0])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _describe(writer: gguf.GGUFWriter, loaded: LoadedModel, form: str) -> None:
    config = loaded.model.config
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = getattr(config, "rope_parameters", None) or {}
    writer.add_name(getattr(config, "name_or_path", "") or "fledgling")
    writer.add_file_type(FORMS[form][1])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(float(rope.get("rope_theta", 10000.0)))
    writer.add_rope_dimension_count(head)
    writer.add_vocab_size(config.vocab_size)


def _add_tokenizer(writer: gguf.GGUFWriter, loaded: LoadedModel, pre: str) -> None:
    """Tokens, their kinds, merges, special ids and chat template."""
    size = loaded.model.config.vocab_size
    tokens = loaded.tokenizer.convert_ids_to_tokens(range(len(loaded.tokenizer)))
    added = loaded.tokenizer.added_tokens_decoder
    kinds = [_kind(added.get(number)) for number in range(len(tokens))]
    tokens += [f"<unused{number}>" for number in range(len(tokens), size)]
    kinds += [gguf.TokenType.UNUSED] * (size - len(kinds))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    with TemporaryDirectory() as folder:
        loaded.tokenizer.save_pretrained(folder)
        vocabulary = gguf.SpecialVocab(folder, load_merges=True, n_vocab=size)
    vocabulary.chat_template = loaded.tokenizer.chat_template
    vocabulary.add_to_gguf(writer, quiet=True)
    if not vocabulary.merges:  # transformers then goes by scores, and fails without any
        writer.add_token_scores([0.0] * size)


def _kind(token: object) -> gguf.TokenType:
    if token is None:
        return gguf.TokenType.NORMAL
    return gguf.TokenType.CONTROL if token.special else gguf.TokenType.USER_DEFINED


def _add_tensors(writer: gguf.GGUFWriter, loaded: LoadedModel, wanted: Type) -> None:
    config = loaded.model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    tied = config.tie_word_embeddings
    for name, tensor in loaded.model.state_dict().items():
        if name == "lm_head.weight" and tied:
            continue
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise ModelError(
                f"tensor {name} has no place in a GGUF file; merge the adapter into the base first"
            )
        values = tensor.detach().float().cpu()
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            is_query = name.endswith("q_proj.weight")
            heads = config.num_attention_heads if is_query else config.num_key_value_heads
            values = interleaved(values, heads)
        array = np.ascontiguousarray(values.numpy())
        kind = tensor_type(target, array, wanted)
        packed = gguf.quants.quantize(array, kind)
        writer.add_tensor(target, packed, raw_dtype=kind)


def tensor_type(name: str, array: np.ndarray, wanted: Type) -> Type:
    """The type that a tensor is really written in: norms stay F32; rows that a block of 32 does not
    divide stay F16; beside 4-bit weights the embeddings, which are also the head, take 8.
    """
    if array.ndim == 1:
        return Type.F32
    if wanted != Type.F16 and array.shape[-1] % 32:
        return Type.F16
    if wanted == Type.Q4_0 and name in ("token_embd.weight", "output.weight"):
        return Type.Q8_0
    return wanted


def interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """A query or key projection (out, in) with each head's rotary halves interleaved, as llama.cpp
    rotates neighbours and transformers halves.
    """
    out, inner = weight.shape
    return weight.view(heads, 2, out // heads // 2, inner).transpose(1, 2).reshape(out, inner)


def tensor_types(path: Path) -> dict[str, int]:
    """How many tensors of each type a file holds. Raises ``ModelError`` for a file that is cut
    short, or none.
    """
    size = path.stat().st_size if path.is_file() else 0
    try:
        reader = gguf.GGUFReader(str(path))
        ends = [int(tensor.data_offset) + int(tensor.n_bytes) for tensor in reader.tensors]
    except (ValueError, IndexError, OSError, KeyError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path} is not a whole GGUF file ({error}); export it again with: fledgling export"
        ) from error
    if max(ends, default=0) > size or not ends:
        raise ModelError(
            f"{path} is cut short: it has {size} bytes and needs {max(ends, default=0)}; export it"
            " again with: fledgling export"
        )
    return dict(Counter(tensor.tensor_type.name for tensor in reader.tensors))
