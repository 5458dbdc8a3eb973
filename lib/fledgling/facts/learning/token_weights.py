"""How much each token of an answer weighs in the loss: what carries the fact weighs more than what
carries it along.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fledgling.core.words import FUNCTION_WORDS
from fledgling.facts.settings import TokenWeightsSection

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def token_weights(
    answer: str,
    offsets: Sequence[tuple[int, int]],
    section: TokenWeightsSection,
    *,
    entities: Sequence[str] = (),
    prompt: str = "",
) -> list[float]:
    """One weight per token of ``answer``, given each token's (start, end) characters.

    A token starts at 1 and is multiplied by ``entity`` inside an entity's name, by ``content`` in
    any other content word, by ``filler`` in a function word, by ``repeated`` where its word already
    stood in the prompt, and by a factor that falls linearly from ``first`` to 1 over the answer.
    """
    spans = [
        (match.start(), match.end(), match.group().lower()) for match in _WORD.finditer(answer)
    ]
    named = [span for entity in entities if entity for span in _occurrences(answer, entity)]
    said = set(_WORD.findall(prompt.lower()))
    weights = []
    for position, (start, end) in enumerate(offsets):
        word = next((text for left, right, text in spans if left < end and start < right), "")
        weight = section.first + (1.0 - section.first) * position / max(len(offsets) - 1, 1)
        if any(left < end and start < right for left, right in named):
            weight *= section.entity
        elif word in FUNCTION_WORDS or not word:
            weight *= section.filler
        else:
            weight *= section.content
        weights.append(weight * (section.repeated if word and word in said else 1.0))
    return weights


def _occurrences(text: str, part: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(re.escape(part), text, flags=re.IGNORECASE)]
