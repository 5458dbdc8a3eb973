"""Greedy answers token by token, for somebody who reads along."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from fledgling.models.rows import AdaptedModel

_HALF = "\ufffd"  # how a decoder shows the first bytes of a character whose last are still to come


@torch.no_grad()
def stream_answer(adapted: AdaptedModel, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
    """The pieces of the answer that ``adapted.answer`` gives, each as soon as it is known. White
    space around the whole is left out.
    """
    model, tokenizer, cache = adapted.adapter.model, adapted.tokenizer, adapted.prefix.as_cache(1)
    ends = _end_tokens(adapted)
    ids = torch.tensor([adapted.prompt_ids(prompt)], device=adapted.device)  # (1, T)
    said: list[int] = []
    shown = ""
    for _ in range(max_new_tokens):
        output = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        token = int(output.logits[0, -1].argmax())
        if token in ends:
            break
        said.append(token)
        text = tokenizer.decode(said, skip_special_tokens=True).strip()
        if not text.endswith(_HALF) and len(text) > len(shown):
            yield text[len(shown) :]
            shown = text
        ids = ids.new_tensor([[token]])
    rest = tokenizer.decode(said, skip_special_tokens=True).strip()[len(shown) :]
    if rest:
        yield rest


def _end_tokens(adapted: AdaptedModel) -> set[int]:
    stated = adapted.adapter.model.generation_config.eos_token_id
    known = stated if isinstance(stated, list) else [stated]
    return {adapted.tokenizer.eos_token_id, *(token for token in known if token is not None)}
