"""What is trained on: conversations whose last reply is worth imitating, and pairs of replies of
which one is better.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from fledgling.core.errors import DataError

Message = Mapping[str, str]
IGNORED = -100
ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class ChatExample:
    """A conversation in the Hugging Face chat form, ``({"role": …, "content": …}, …)``.

    The last message is the assistant's; it alone is learned. ``weight`` scales its loss.
    """

    messages: tuple[Message, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class PreferencePair:
    """Two replies to one conversation: ``chosen`` was liked, or is what the user put right."""

    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    weight: float = 1.0


@dataclass(frozen=True)
class TokenRow:
    """An example as tokens: ``labels`` is ``IGNORED`` over the prompt, and the reply's ids after
    it.
    """

    ids: list[int]
    labels: list[int]
    weight: float


def check_messages(messages: Sequence[Message]) -> None:
    """Raise ``DataError`` unless roles are known, contents are text and the assistant speaks
    last.
    """
    if not messages:
        raise DataError("an example has no messages; give at least a user's and an assistant's")
    for message in messages:
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            raise DataError(f"role {role!r} is not known; allowed are {', '.join(ROLES)}")
        if not isinstance(content, str) or not content.strip():
            raise DataError(f"the {role}'s content {content!r} is not a text with words in it")
    if messages[-1]["role"] != "assistant":
        raise DataError(
            f"the last message is the {messages[-1]['role']}'s; an example ends with the"
            " assistant's reply, which is what is learned"
        )


def prompt_ids(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[int]:
    """The tokens of a conversation up to where the assistant's next reply begins."""
    text = tokenizer.apply_chat_template(
        said(tokenizer, messages), tokenize=False, add_generation_prompt=True
    )
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def reply_ids(tokenizer: PreTrainedTokenizerBase, reply: str) -> list[int]:
    """The tokens of a reply with its end-of-sequence."""
    text = said(tokenizer, [{"role": "assistant", "content": reply.strip()}])[0]["content"]
    return [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]


def said(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages with control tokens broken up: written in a message they are only text, and
    cannot speak for the system.
    """
    controls = [token for token in tokenizer.all_special_tokens if len(token) > 1]
    plain = []
    for message in messages:
        content = message["content"]
        for token in controls:
            content = content.replace(token, f"{token[0]} {token[1:]}")
        plain.append({"role": message["role"], "content": content})
    return plain


def encode(
    tokenizer: PreTrainedTokenizerBase, example: ChatExample, max_tokens: int
) -> TokenRow | None:
    """An example as tokens, at most ``max_tokens`` long: its oldest turns go first, then the end of
    the reply. None where the prompt's last turn alone leaves no room for a reply.
    """
    *prompt, reply = example.messages
    answer = reply_ids(tokenizer, reply["content"])
    before = prompt_ids(tokenizer, prompt)
    while len(before) + len(answer) > max_tokens and (shorter := without_oldest(prompt)):
        prompt, before = shorter, prompt_ids(tokenizer, shorter)
    room = max_tokens - len(before)
    if room < min(len(answer), 2):
        return None
    answer = answer[:room]
    return TokenRow(before + answer, [IGNORED] * len(before) + answer, example.weight)


def without_oldest(prompt: Sequence[Message]) -> list[Message]:
    """The conversation without its oldest turn, system message kept; empty when only one is
    left.
    """
    system = [message for message in prompt if message["role"] == "system"]
    turns = [message for message in prompt if message["role"] != "system"]
    rest = turns[1:]
    while rest and rest[0]["role"] == "assistant":  # templates want a user's turn first
        rest = rest[1:]
    return [*system, *rest] if rest else []


def fingerprint(examples: Iterable[ChatExample | PreferencePair], *settings: object) -> str:
    """A short hash of what is trained on and how: equal for the same training, and only for it."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps(vars(example), default=list, sort_keys=True).encode())
    for setting in settings:
        digest.update(repr(setting).encode())
    return digest.hexdigest()[:16]
