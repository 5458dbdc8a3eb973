"""What can be seen in a user's next turn: cues in its words, and how it stands to the question and
the reply before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA
from fledgling.core.words import FUNCTION_WORDS
from fledgling.feedback.judging.words import alike, words_of
from fledgling.feedback.settings import SignalsSection
from fledgling.language.corrections import find_correction
from fledgling.language.sentences import mend_apostrophes
from fledgling.language.settings import LanguageSection

CUES = DATA / "feedback" / "cues.yaml"
_ASKS = re.compile(
    r"""^\W*(?:(?:and|but|so|ok|okay|hm+|then|also|good|fine|alright|right|whoa|cool)\W+)*
    (?:(?:who|what|which|where|when|why|how|whose)\b
    |(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|any|may|must)\s+
     (?:it|i|you|he|she|we|they|there|this|that|these|the|my|your|his|her|our|a|an|one|any|some)\b)""",
    re.IGNORECASE | re.VERBOSE,
)


class Embeds(Protocol):
    """Texts to rows of length 1."""

    def embed(self, texts: list[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Exchange:
    """A question, the reply to it, and what the user said next: ``None`` when nothing came."""

    prompt: str
    reply: str
    reaction: str | None


@dataclass(frozen=True)
class Observation:
    """What was seen of one exchange: cues by name, cosines in −1..1, and the reaction's
    embedding.
    """

    cues: frozenset[str]
    to_prompt: float
    to_reply: float
    overlap: float
    embedding: np.ndarray
    exchange: Exchange


@lru_cache(maxsize=4)
def read_cues(path: Path = CUES) -> dict[str, re.Pattern[str]]:
    """The cues by name, compiled. Raises ``DataError`` naming an expression that is broken."""
    compiled = {}
    for name, expressions in read_yaml(path).items():
        optional = "|".join(expression.replace("'", "'?") for expression in expressions)
        try:
            compiled[name] = re.compile(rf"(?<!\w)(?:{optional})(?!\w)", re.IGNORECASE)
        except re.error as error:
            raise DataError(f"{path}: {name} holds a broken expression: {error}") from error
    return compiled


def observe(
    exchanges: Sequence[Exchange],
    embedder: Embeds,
    language: LanguageSection,
    *,
    max_characters: int,
) -> list[Observation]:
    """Look at exchanges; each text is embedded once. Only the first ``max_characters`` of a text
    are read.
    """
    texts = [
        text[:max_characters] or " "
        for exchange in exchanges
        for text in (exchange.reaction or "", exchange.prompt, exchange.reply)
    ]
    vectors = embed_once(embedder, texts).reshape(len(exchanges), 3, -1)
    return [
        Observation(
            cues_of(exchange, language, max_characters),
            float(reaction @ prompt),
            float(reaction @ reply),
            _overlap(exchange.reaction or "", exchange.prompt),
            reaction,
            exchange,
        )
        for exchange, (reaction, prompt, reply) in zip(exchanges, vectors, strict=True)
    ]


def embed_once(embedder: Embeds, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
    """(N, D) embeddings, equal texts embedded once, by length so that little is padded."""
    different = sorted(set(texts), key=len)
    rows = [
        embedder.embed(different[start : start + batch_size])
        for start in range(0, len(different), batch_size)
    ]
    place = {text: number for number, text in enumerate(different)}
    table = np.concatenate(rows) if rows else embedder.embed([])
    return table[[place[text] for text in texts]]


def cues_of(
    exchange: Exchange, language: LanguageSection, max_characters: int = 2000
) -> frozenset[str]:
    """The names of the cues in a reaction, and of how it answers the reply."""
    text = mend_apostrophes((exchange.reaction or "")[:max_characters]).replace("’", "'").strip()
    found = {name for name, pattern in read_cues().items() if pattern.search(text)}
    if not text:
        return frozenset({"silence"})
    asks = text.endswith("?") or _ASKS.match(text) is not None
    if asks:
        found.add("question")
    if exchange.reply.rstrip().endswith("?") and not asks:
        found.add("answers")
    if find_correction(text, exchange.prompt, language) is not None:
        found.add("corrects")
    if re.search(r"!{2,}|\?{2,}|\b[A-Z]{4,}\b", exchange.reaction or ""):
        found.add("loud")
    return frozenset(found)


def signals_of(seen: Observation, label: str, section: SignalsSection) -> tuple[str, ...]:
    """The signals in the words of the report: follow_up, same_topic, topic_change, rephrase,
    explicit_correction, abandonment, and the cues as they are.
    """
    near = max(seen.to_prompt, seen.to_reply)
    ends = "silence" in seen.cues or "leaving" in seen.cues
    same = near >= section.same_topic
    asks = "question" in seen.cues
    repeats = max(seen.to_prompt, seen.overlap) >= section.rephrase
    named = {
        "explicit_correction": label == "correction",
        "rephrase": repeats and label in ("negative", "correction"),
        "follow_up": asks and same and label in ("neutral", "positive"),
        "same_topic": same and not ends,
        "topic_change": asks and near < section.topic_change,
        "abandonment": ends,
        "ask_clarification": "unclear" in seen.cues,
    }
    shown = (
        "thanks",
        "praise",
        "agreement",
        "success",
        "acceptance",
        "denial",
        "complaint",
        "not_working",
        "redo",
    )
    return tuple(
        [name for name, present in named.items() if present]
        + [name for name in shown if name in seen.cues]
    )


def features(seen: Observation) -> dict[str, float]:
    """What the classifier reads beside the embedding, by name, each about −1 to 1."""
    reaction = seen.exchange.reaction or ""
    words = words_of(reaction)
    said = set(words_of(seen.exchange.reply))
    new = [word for word in words if word not in said and word not in FUNCTION_WORDS]
    names = (*read_cues(), "silence", "question", "answers", "corrects", "loud")
    first = words[0] if words else ""
    good = bool(seen.cues & {"thanks", "praise", "agreement", "success", "acceptance"})
    bad = bool(seen.cues & {"denial", "complaint", "not_working", "redo", "unclear"})
    return {
        **{name: float(name in seen.cues) for name in names},
        "good": float(good),
        "bad": float(bad),
        "good_only": float(good and not bad),
        "bad_only": float(bad and not good),
        "neither": float(not good and not bad),
        "question_and_bad": float("question" in seen.cues and bad),
        "question_and_good": float("question" in seen.cues and good),
        "question_and_neither": float("question" in seen.cues and not good and not bad),
        "answers_and_neither": float("answers" in seen.cues and not good and not bad),
        "to_prompt": seen.to_prompt,
        "to_reply": seen.to_reply,
        "overlap": seen.overlap,
        "length": min(len(words), 30) / 30,
        "short": float(len(words) <= 3),
        "one_word": float(len(words) == 1),
        "exclaims": float("!" in reaction),
        "dots": float(".." in reaction),
        "new_number": float(any(map(_has_digit, words)) and any(map(_has_digit, new))),
        "number_for_number": float(any(map(_has_digit, new)) and any(map(_has_digit, said))),
        "nothing_new": float(not new),
        **_replacement(words, said, set(words_of(seen.exchange.prompt))),
        "starts_no": float(first in {"no", "nope", "nah", "wrong", "nooo", "sorry"}),
        "starts_yes": float(first in {"yes", "yep", "yeah", "right", "ok", "okay", "exactly"}),
        "starts_and": float(first in {"and", "what", "how", "is", "can", "which", "who", "also"}),
        "starts_you": float(first in {"you", "u", "your"}),
        "reply_asks": float(seen.exchange.reply.rstrip().endswith("?")),
    }


def _replacement(words: list[str], said: set[str], asked: set[str]) -> dict[str, float]:
    """Signs that a turn puts something in the place of what the reply said: it repeats what the
    question had and the reply lacks, a word much like one of the reply's ("Tim" for "Tom"), or the
    reply's words around another one ("third floor" for "second floor").
    """
    content = [word for word in words if word not in FUNCTION_WORDS][:12]
    new = [word for word in content if word not in said]
    missed = [word for word in new if word in asked]
    others = [word for word in said - set(words) if word not in FUNCTION_WORDS]
    kept = any(word in said for word in content)
    return {
        "repeats_question": len(missed) / max(len(content), 1),
        "repeats_only_question": float(bool(content) and len(missed) == len(content)),
        "alike": alike(new, others),
        "frame_kept": float(kept and bool(new) and len(words) <= 6),
    }


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _overlap(reaction: str, prompt: str) -> float:
    """Share of the reaction's content words that the question holds."""
    inside = {word for word in words_of(reaction) if word not in FUNCTION_WORDS}
    asked = set(words_of(prompt))
    return len(inside & asked) / len(inside) if len(inside) > 1 else 0.0


def matrix(
    observations: Sequence[Observation], extra: Sequence[Mapping[str, float]]
) -> tuple[np.ndarray, list[str]]:
    """(N, F) named features of observations, with ``extra`` ones, and their names."""
    rows = [{**features(seen), **more} for seen, more in zip(observations, extra, strict=True)]
    names = list(rows[0]) if rows else []
    return np.array([[row[name] for name in names] for row in rows]), names
