"""Training rows as tensors, and the model run from the first adapted layer up.

Two savings make an update cheap on a CPU, and neither changes a result. Every row starts with the
same system prompt, so the base's keys and values of that prefix are computed once and the adapter
acts after it, in training and in generation alike. And layers below the first adapted one are
frozen, so their output is computed once per set of rows and shared by all updates on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache

from fledgling.core.records import Example
from fledgling.models.adapters import Adapter
from fledgling.models.generation import chat_text, cut_middle
from fledgling.models.prefix import Prefix

IGNORED = -100
_MARK = "\u2063fledgling\u2063"


@dataclass(frozen=True)
class Rows:
    """A minibatch: ``ids`` (B, T) after the prefix, ``labels`` (B, T) shifted so that position t
    predicts labels[t], ``weights`` (B, T) of the labels, and ``hidden`` (B, T, D), the frozen
    layers' output behind the prefix ``behind``.
    """

    ids: Tensor
    labels: Tensor
    weights: Tensor
    hidden: Tensor
    behind: Prefix

    @property
    def targets(self) -> Tensor:
        """(N,) the labelled tokens in reading order."""
        return self.labels[self.labels != IGNORED]

    @property
    def target_weights(self) -> Tensor:
        """(N,) the weights of the labelled tokens."""
        return self.weights[self.labels != IGNORED]

    @property
    def row_of_target(self) -> Tensor:
        """(N,) the row that each labelled token belongs to."""
        return (self.labels != IGNORED).nonzero()[:, 0]

    def take(self, rows: Sequence[int]) -> Rows:
        """Some of the rows, padding beyond the longest of them cut off."""
        labels = self.labels[list(rows)]
        width = int((labels != IGNORED).any(0).nonzero().max()) + 1
        return Rows(
            self.ids[list(rows), :width],
            labels[:, :width],
            self.weights[list(rows), :width],
            self.hidden[list(rows), :width],
            self.behind,
        )

    def widen(self, width: int) -> Rows:
        """The same rows padded on the right to ``width`` tokens."""
        extra = width - self.ids.shape[1]
        pad = torch.nn.functional.pad
        return Rows(
            pad(self.ids, (0, extra)),
            pad(self.labels, (0, extra), value=IGNORED),
            pad(self.weights, (0, extra)),
            pad(self.hidden, (0, 0, 0, extra)),
            self.behind,
        )

    @property
    def tokens(self) -> int:
        """Tokens in the minibatch, padding included: what the hardware multiplies."""
        return self.ids.numel()


class AdaptedModel:
    """An adapter with its prefix: encodes rows, gives logits where labels are, and answers.

    Works with decoders laid out like Llama (Llama, SmolLM, Qwen2, Mistral): embed_tokens, layers,
    norm, rotary_emb.
    """

    def __init__(
        self, adapter: Adapter, *, system: str | None = None, max_length: int = 512
    ) -> None:
        self.adapter, self.loaded, self.max_length = adapter, adapter.loaded, max_length
        self.system = system
        self.tokenizer, self.decoder, self.head = (
            self.loaded.tokenizer,
            adapter.model.model,
            adapter.model.lm_head,
        )
        before, self._after = chat_text(self.loaded, _MARK, system).split(_MARK)
        self.closing = len(self.tokenizer(self._after, add_special_tokens=False)["input_ids"])
        self._prefix_ids: list[int] = self.tokenizer(before, add_special_tokens=False)["input_ids"]
        self._prefix = self.read(self._prefix_ids)

    @property
    def prefix(self) -> Prefix:
        """What stands before every prompt: the system prompt's keys and values, or those that the
        adapter has learned.
        """
        return self.adapter.prefix or self._prefix

    @property
    def prefix_ids(self) -> list[int]:
        """As many tokens as the prefix is long; a learned one stands for no text."""
        learned = self.adapter.prefix
        return [self.tokenizer.pad_token_id] * learned.length if learned else self._prefix_ids

    @property
    def device(self) -> torch.device:
        return self.loaded.device

    @torch.no_grad()
    def read(self, ids: Sequence[int]) -> Prefix:
        """The base's keys and values of a text."""
        cache = DynamicCache()
        with self.adapter.disabled():
            self.decoder(
                input_ids=torch.tensor([list(ids)], device=self.device),
                past_key_values=cache,
                use_cache=True,
            )
        return Prefix([(layer.keys, layer.values) for layer in cache.layers])

    def system_ids(self, system: str) -> list[int]:
        """The tokens of another system prompt, up to where the user begins."""
        before, _ = chat_text(self.loaded, _MARK, system).split(_MARK)
        return self.tokenizer(before, add_special_tokens=False)["input_ids"]

    def prompt_ids(self, prompt: str) -> list[int]:
        """The tokens of a prompt after the prefix, up to where the answer begins; a long one loses
        its middle.
        """
        text = cut_middle(self._said(prompt), self.max_length)
        return text + self.tokenizer(self._after, add_special_tokens=False)["input_ids"]

    def answer_ids(self, answer: str) -> list[int]:
        """The tokens of an answer with its end-of-sequence."""
        ids = cut_middle(self._said(answer), self.max_length)
        return [*ids, self.tokenizer.eos_token_id]

    def _said(self, text: str) -> list[int]:
        """Tokens of what somebody wrote: a control token written there is text, and cannot speak
        for the system.
        """
        return self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)[
            "input_ids"
        ]

    def encode(
        self, examples: Sequence[Example], weights: Sequence[Sequence[float]] | None = None
    ) -> Rows:
        """Examples → rows padded on the right. ``weights`` gives each answer token's weight;
        default the example's.
        """
        prompts = [self.prompt_ids(example.prompt) for example in examples]
        answers = [self.answer_ids(example.answer) for example in examples]
        weights = weights or [
            [example.weight] * len(answer)
            for example, answer in zip(examples, answers, strict=True)
        ]
        width = (
            max(len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True))
            - 1
        )
        ids = torch.zeros(len(examples), width, dtype=torch.long)
        labels, scale = torch.full_like(ids, IGNORED), torch.zeros(ids.shape)
        for row, (prompt, answer, weight) in enumerate(zip(prompts, answers, weights, strict=True)):
            text = (prompt + answer)[:-1]  # the last token is only ever a label
            ids[row, : len(text)] = torch.tensor(text)
            span = slice(len(prompt) - 1, len(prompt) - 1 + len(answer))
            labels[row, span], scale[row, span] = torch.tensor(answer), torch.tensor(list(weight))
        ids, labels, scale = ids.to(self.device), labels.to(self.device), scale.to(self.device)
        return Rows(ids, labels, scale, self._frozen_layers(ids), self.prefix)

    def reframe(self, rows: Rows) -> Rows:
        """The same rows after this model's prefix: encoded under another system prompt, read under
        this one.
        """
        hidden = self._frozen_layers(rows.ids)
        return Rows(rows.ids, rows.labels, rows.weights, hidden, self.prefix)

    def geometry(self, hidden: Tensor) -> dict[str, object]:
        """What a layer is told beside its (B, T, D) input: mask, positions, the prefix."""
        width, start = hidden.shape[1], self.prefix.length
        positions = torch.arange(start, start + width, device=hidden.device)[None]
        mask = torch.ones(width, start + width, dtype=torch.bool, device=hidden.device).tril(start)[
            None, None
        ]
        return {
            "attention_mask": mask,
            "position_embeddings": self.decoder.rotary_emb(hidden, position_ids=positions),
            "past_key_values": self.prefix,
        }

    @torch.no_grad()
    def _frozen_layers(self, ids: Tensor) -> Tensor:
        hidden = self.decoder.embed_tokens(ids)
        geometry = self.geometry(hidden)
        for layer in self.decoder.layers[: self.adapter.first_layer]:
            hidden = layer(hidden, **geometry)
        return hidden

    def last_hidden(self, rows: Rows) -> Tensor:
        """(B, T, D) states after the last layer; differentiable in the adapter's parameters."""
        hidden = rows.hidden if rows.behind is self.prefix else self._frozen_layers(rows.ids)
        geometry = self.geometry(hidden)
        for layer in self.decoder.layers[self.adapter.first_layer :]:
            hidden = layer(hidden, **geometry)
        return hidden

    def logits(self, rows: Rows) -> Tensor:
        """(N, V) float32 logits at the labelled positions only; differentiable in the adapter's
        parameters.
        """
        chosen = self.decoder.norm(self.last_hidden(rows)[rows.labels != IGNORED])
        return self.head(chosen).float()

    @torch.no_grad()
    def base_logits(self, rows: Rows) -> Tensor:
        """(N, V) logits of the frozen base on the same rows: the adapter is switched off, no second
        copy.
        """
        with self.adapter.disabled():
            return self.logits(rows)

    @torch.no_grad()
    def answer(
        self, prompts: Sequence[str], *, max_new_tokens: int = 32, batch_size: int = 16
    ) -> list[str]:
        """Greedy answers with the adapter as it is now, in order; the prefix is the base's, as in
        training.
        """
        rows = [self.prompt_ids(prompt) for prompt in prompts]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        answers = [""] * len(rows)
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            for index, text in zip(
                chosen, self._generate([rows[i] for i in chosen], max_new_tokens), strict=True
            ):
                answers[index] = text
        return answers

    def _generate(self, rows: list[list[int]], max_new_tokens: int) -> list[str]:
        width, pad = max(map(len, rows)), self.tokenizer.pad_token_id
        before = self.prefix_ids
        start = [
            before + [pad] * (width - len(row)) for row in rows
        ]  # padding between prefix and prompt
        mask = [[1] * len(before) + [0] * (width - len(row)) + [1] * len(row) for row in rows]
        ids = torch.tensor(
            [left + row for left, row in zip(start, rows, strict=True)], device=self.device
        )
        output = self.adapter.model.generate(
            input_ids=ids,
            attention_mask=torch.tensor(mask, device=self.device),
            max_new_tokens=max_new_tokens,
            past_key_values=self.prefix.as_cache(len(rows)),
            do_sample=False,
            pad_token_id=pad,
            temperature=None,
            top_p=None,
            top_k=None,
        )
        return [
            text.strip()
            for text in self.tokenizer.batch_decode(
                output[:, ids.shape[1] :], skip_special_tokens=True
            )
        ]
