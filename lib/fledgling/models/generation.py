"""Greedy replies through the chat template, one prompt or many at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from fledgling.models.loading import LoadedModel


def chat_text(loaded: LoadedModel, prompt: str, system: str | None = None) -> str:
    """The prompt as the model sees it, up to where the assistant's answer begins."""
    messages = [{"role": "system", "content": system}] if system is not None else []
    messages.append({"role": "user", "content": prompt})
    return loaded.tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True
    )


def replies(
    loaded: LoadedModel,
    prompts: Sequence[str],
    *,
    max_new_tokens: int = 32,
    system: str | None = None,
    max_length: int = 512,
    batch_size: int = 16,
) -> list[str]:
    """Greedy answers, in order. Prompts are batched by length; one that is longer than
    ``max_length`` tokens loses its middle, so that the chat template stays whole.
    """
    texts = [chat_text(loaded, prompt, system) for prompt in prompts]
    encoded = [
        cut_middle(loaded.tokenizer(text, add_special_tokens=False)["input_ids"], max_length)
        for text in texts
    ]
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    answers = [""] * len(encoded)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        for index, answer in zip(
            chosen, _generate(loaded, [encoded[i] for i in chosen], max_new_tokens), strict=True
        ):
            answers[index] = answer
    return answers


def reply(
    loaded: LoadedModel, prompt: str, *, max_new_tokens: int = 32, system: str | None = None
) -> str:
    """The greedy answer to one prompt."""
    return replies(loaded, [prompt], max_new_tokens=max_new_tokens, system=system)[0]


def cut_middle(tokens: list[int], max_length: int) -> list[int]:
    """At most ``max_length`` tokens: the first and last halves.

    >>> cut_middle([1, 2, 3, 4, 5, 6], 4)
    [1, 2, 5, 6]
    """
    if len(tokens) <= max_length:
        return tokens
    head = max_length // 2
    return tokens[:head] + tokens[len(tokens) - (max_length - head) :]


@torch.no_grad()
def _generate(loaded: LoadedModel, rows: list[list[int]], max_new_tokens: int) -> list[str]:
    width = max(len(row) for row in rows)
    pad = loaded.tokenizer.pad_token_id
    ids = torch.tensor(
        [[pad] * (width - len(row)) + row for row in rows], device=loaded.device
    )  # left padding
    mask = torch.tensor(
        [[0] * (width - len(row)) + [1] * len(row) for row in rows], device=loaded.device
    )
    output = loaded.model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=pad,
        temperature=None,
        top_p=None,
        top_k=None,
    )
    return [
        text.strip()
        for text in loaded.tokenizer.batch_decode(output[:, width:], skip_special_tokens=True)
    ]
