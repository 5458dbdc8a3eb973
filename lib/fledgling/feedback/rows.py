"""From judged exchanges to what is trained on: replies worth imitating, pairs of a better and a
worse one, and replies that are only known to be bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fledgling.core.errors import DataError
from fledgling.core.records import Feedback
from fledgling.feedback.buffer import Entry, identity
from fledgling.feedback.examples import ROLES, ChatExample, Message, PreferencePair
from fledgling.feedback.judging.dialogues import Labelled
from fledgling.feedback.judging.words import alike, words_of

_WORD = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*%?")
_APOLOGY = re.compile(
    r"^(?:(?:oh|ah|yes|right|sorry|of\s+course|i(?:'m|\s+am)\s+(?:very\s+)?sorry(?:\s+about\s+that)?"
    r"|i\s+apologi[sz]e|my\s+apologies|apologies|you(?:'re|\s+are)\s+right|thank\s+you|thanks)\b"
    r"[\s,.:;!—-]*)+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TrainingRows:
    """``examples`` to imitate, ``pairs`` to prefer by, ``bad`` to turn away from; ``keys`` are the
    buffer's ids of all that is used.
    """

    examples: tuple[ChatExample, ...] = ()
    pairs: tuple[PreferencePair, ...] = ()
    bad: tuple[ChatExample, ...] = ()
    keys: tuple[str, ...] = ()


def rows_of(entries: Iterable[Entry]) -> TrainingRows:
    """What the entries teach, each weighted by how certain its label is. Neutral ones teach
    nothing.
    """
    examples, pairs, bad, keys = [], [], [], []
    for entry in entries:
        feedback, weight = entry.feedback, entry.feedback.confidence
        if feedback.label == "neutral":
            continue
        keys.append(entry.id)
        prompt = (*entry.history, {"role": "user", "content": feedback.prompt})
        if feedback.label == "positive":
            examples.append(_reply(prompt, feedback.reply, weight))
            continue
        better = chosen_reply(entry)
        if better:
            examples.append(_reply(prompt, better, weight))
            pairs.append(PreferencePair(prompt, better, feedback.reply, weight))
        else:
            bad.append(_reply(prompt, feedback.reply, weight))
    return TrainingRows(tuple(examples), tuple(pairs), tuple(bad), tuple(keys))


def entries_of(labelled: Iterable[Labelled]) -> list[Entry]:
    """The project's own labelled turns as the buffer would hold them, certain of their labels. The
    reply that came next counts as the better one where it was liked.
    """
    entries = []
    for number, one in enumerate(labelled):
        said = one.exchange
        answer = one.answers[0] if one.answers else ""
        feedback = Feedback(
            one.label, 1.0, said.prompt, said.reply, said.reaction or "", correction=answer
        )
        better = one.better if one.liked and one.label in ("negative", "correction") else ""
        history = tuple(messages(one.history))
        entries.append(Entry(identity(feedback), number, feedback, better, history))
    return entries


def messages(turns: Iterable[tuple[str, str]]) -> list[Message]:
    """(user, reply) turns in the Hugging Face chat form."""
    pairs = [
        ({"role": "user", "content": user}, {"role": "assistant", "content": reply})
        for user, reply in turns
    ]
    return [message for pair in pairs for message in pair]


def _reply(prompt: tuple[Message, ...], reply: str, weight: float) -> ChatExample:
    return ChatExample((*prompt, {"role": "assistant", "content": reply}), weight)


def chosen_reply(entry: Entry) -> str:
    """The reply that should have been given: the reply with the user's answer in the place of the
    wrong one, or else a reply that the user liked instead, without its apology; "" for neither.
    """
    feedback = entry.feedback
    if feedback.correction.strip():
        return repaired(feedback.prompt, feedback.reply, feedback.correction)
    return _APOLOGY.sub("", entry.better).strip()


def repaired(prompt: str, reply: str, answer: str) -> str:
    """The reply with ``answer`` where the wrong one stood, if that place is plain to see; else the
    answer as a sentence.

    >>> repaired("Capital of Australia?", "The capital of Australia is Sydney.", "Canberra")
    'The capital of Australia is Canberra.'
    >>> repaired("When?", "It starts at noon or so.", "the evening")
    'The evening.'
    """
    answer = answer.strip().rstrip(".")
    wrong = _wrong_part(prompt, reply, answer)
    if wrong and reply.count(wrong) == 1:
        return reply.replace(wrong, answer)
    sentence = answer[:1].upper() + answer[1:]
    return sentence if sentence.endswith(("!", "?")) else f"{sentence}."


def _wrong_part(prompt: str, reply: str, answer: str) -> str:
    """The one part of the reply that the answer can stand for: the only number for a number, the
    only name that the question lacks for a name, or a word spelled much like it.
    """
    asked, said = set(words_of(prompt)), _WORD.findall(reply)
    new = [word for word in said if word.lower() not in asked]
    if re.fullmatch(r"[\d.,:%/-]+", answer):
        numbers = [word for word in new if word[0].isdigit()]
        return numbers[0] if len(numbers) == 1 else ""
    if " " in answer:
        return ""
    names = [word for word in new if word[0].isupper() and not reply.startswith(word)]
    if answer[0].isupper() and len(names) == 1:
        return names[0]
    near = [word for word in new if alike([answer.lower()], [word.lower()])]
    return near[0] if len(near) == 1 else ""


def as_messages(value: Any, role: str) -> tuple[Message, ...]:
    """A text, as ``role`` would say it, or a list of messages, checked. Raises ``DataError``."""
    if isinstance(value, str):
        value = [{"role": role, "content": value}]
    if not isinstance(value, Sequence) or not value:
        raise DataError("a conversation is neither a text nor a list of messages")
    messages = []
    for message in value:
        if not isinstance(message, dict):
            raise DataError(f"a message is a {type(message).__name__}, not an object")
        said, content = message.get("role"), message.get("content")
        if said not in ROLES:
            raise DataError(f"role {said!r} is not known; allowed are {', '.join(ROLES)}")
        if not isinstance(content, str) or not content.strip():
            raise DataError(f"the {said}'s content is not a text with words in it")
        messages.append({"role": said, "content": content})
    return tuple(messages)
