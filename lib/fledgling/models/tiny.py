"""Stand-ins for tests, built in code in milliseconds: a random tiny Llama with a byte-level
tokenizer, and the two halves of a reader that goes by shared words.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from safetensors.torch import save
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from fledgling.core.words import FUNCTION_WORDS
from fledgling.models.loading import LoadedModel

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe brief.<|im_end|>\n{% endif %}{%"
    " for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content']"
    " }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, so that any text survives encoding, with ChatML's special tokens and
    template.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(
        BPE(vocab={letter: place for place, letter in enumerate(alphabet)}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([PAD, START, END])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def tiny_model(seed: int = 0, *, layers: int = 2, hidden: int = 32) -> LoadedModel:
    """A random Llama of ``layers`` layers and ``hidden`` units in float32, the same for the same
    seed.

    Its weights are drawn wide enough for its logits to differ clearly from token to token.
    """
    tokenizer = tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        initializer_range=0.2,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    return LoadedModel(model.eval().requires_grad_(False), tokenizer)


class WordEmbedder:
    """Texts as normalised bags of hashed content words: texts that share words lie near each
    other.
    """

    width = 64

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → (N, 64) float32, each row of length 1."""
        rows = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in content_words(text) or {"?"}:
                row[zlib.crc32(word.encode()) % self.width] += 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class WordOverlap:
    """Scores a (fact, question) pair by the share of the question's content words that the fact
    holds.
    """

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """(N,) float32 in 0..1."""
        asked = [(content_words(fact), content_words(question)) for fact, question in pairs]
        return np.array(
            [len(told & wanted) / max(len(wanted), 1) for told, wanted in asked], dtype=np.float32
        )


def content_words(text: str) -> set[str]:
    """The words of a text but function words, without a plural's or a verb's s.

    >>> sorted(content_words("Where does Lena live?"))
    ['lena', 'live']
    """
    words = re.findall(r"\w+", text.lower())
    return {word.removesuffix("s") for word in words if word not in FUNCTION_WORDS}


def to_bytes(state: Mapping[str, torch.Tensor]) -> bytes:
    """A state's tensors as safetensors bytes, so that two of them can be compared whole."""
    return save({name: tensor.contiguous() for name, tensor in state.items()})
