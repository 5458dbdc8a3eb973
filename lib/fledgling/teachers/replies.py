"""What an OpenAI-compatible server said: the text, its tokens, how likely they were.

Servers differ, and some are broken or hostile. What must be there is checked, what may be there is
taken where it makes sense and left out where it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from fledgling.teachers.error_shapes import BAD_REPLY, TeacherFault

_SAID = 200  # characters of a validation error that are shown
_LEAST_LOGPROB = -100  # as good as never
_MOST_TOKENS = 10**9  # a count beyond any context: nonsense, not a bill


@dataclass(frozen=True)
class Completion:
    """A reply that could be read. Counts are ``None`` where the server tells none; ``confidence``
    is the mean probability of the answer's tokens.
    """

    text: str
    prompt_tokens: int | None = None
    tokens: int | None = None
    confidence: float | None = None


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message
    logprobs: Any = None


class _Reply(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: Any = None


def read_completion(body: bytes) -> Completion:
    """The first choice of a reply. Raises ``TeacherFault`` (bad_reply) for everything else."""
    try:
        reply = _Reply.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        detail = f"{place or 'the reply'}: {first['msg']}"[:_SAID]
        raise TeacherFault(replace(BAD_REPLY, detail=detail)) from None
    choice = reply.choices[0]
    text = choice.message.content.strip()
    if not text:
        raise TeacherFault(replace(BAD_REPLY, detail="the completion is empty"))
    return Completion(
        text,
        _count(reply.usage, "prompt_tokens"),
        _count(reply.usage, "completion_tokens"),
        _confidence(choice.logprobs),
    )


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if is_count else None


def _confidence(logprobs: Any) -> float | None:
    """Mean token probability; ``None`` where no token tells a number."""
    told = logprobs.get("content") if isinstance(logprobs, dict) else None
    chances = []
    for token in told if isinstance(told, list) else []:
        value = token.get("logprob") if isinstance(token, dict) else None
        if isinstance(value, int | float):
            # no probability above 1, and no number that the exponential cannot take
            value = min(max(value, _LEAST_LOGPROB), 0)
            chances += [] if math.isnan(value) else [math.exp(value)]
    return sum(chances) / len(chances) if chances else None
