"""A phrase of a turn, and the turn beside the question and the reply before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from fledgling.core.words import FUNCTION_WORDS
from fledgling.feedback.judging.grammar import is_number, read_grammar
from fledgling.feedback.judging.turns import VERBAL, Clause, Token, Turn
from fledgling.feedback.judging.words import plain, shape, stem, value_of, words_of

# Kinds of words that say nothing by themselves.
_EMPTY = frozenset(
    ("be", "have", "modal", "preposition", "determiner", "conjunction", "negation", "pronoun")
)
_SELF = frozenset(("me", "we", "i", "you", "us"))


class Exchanged:
    """A turn beside the question and the reply before it: for every token whether it says
    something, and whether question or reply said it. ``wrong`` are words of the reply alone.
    """

    def __init__(self, turn: Turn, prompt: str, reply: str, as_read: str) -> None:
        self.turn, self.reply, self.as_read = turn, reply, plain(as_read)
        self.reply_words = words_of(reply)
        self.wants = {
            name: pattern.search(prompt) is not None
            for name, pattern in read_grammar().wants.items()
        }
        marks = {mark for mark in reply.split() if not re.search(r"\w", mark.strip(".,!?"))}
        asked = _stems(words_of(prompt))
        said = _stems(self.reply_words) | marks
        stems = [stem(token.word) for token in turn.tokens]
        self.says = [self._says_something(token) for token in turn.tokens]
        pairs = list(zip(self.says, stems, strict=True))
        self.asked = [says and one in asked for says, one in pairs]
        self.said = [says and one in said for says, one in pairs]
        self.wrong = [says and one in said - asked for says, one in pairs]
        self.missed = [says and one in asked - said for says, one in pairs]
        self.said_words = _with_values(self.reply_words) | marks
        self.shapes = {shape(chunk) for chunk in reply.rstrip(".!").split()} - {"a", "Aa"}
        has_number = any(map(is_number, self.reply_words))
        self.wants_number = self.wants["number"] or (has_number and len(self.reply_words) <= 3)
        self.has_number = [is_number(token.word) for token in turn.tokens]
        self.new_number = [
            number and not self.in_reply(place) for place, number in enumerate(self.has_number)
        ]

    def _says_something(self, token: Token) -> bool:
        if token.quoted or (self.wants["name"] and token.word in _SELF):
            return True
        if token.kind == "adverb":
            return token.word in read_grammar().words["said_later"]
        return token.word not in FUNCTION_WORDS and token.kind not in _EMPTY

    def in_reply(self, place: int) -> bool:
        """Whether the reply has the word, or the number it names."""
        word = self.turn.tokens[place].word
        return word in self.said_words or value_of(word) in self.said_words

    def is_new(self, place: int) -> bool:
        """Whether the word says something that neither question nor reply said."""
        return self.says[place] and not self.asked[place] and not self.said[place]


def _stems(words: list[str]) -> set[str]:
    return {stem(word) for word in words if word not in FUNCTION_WORDS}


def _with_values(words: list[str]) -> set[str]:
    """Words, the numbers they name, and "52" for "1952"."""
    years = {word[-2:] for word in words if re.fullmatch(r"(?:19|20)\d\d", word)}
    return {*words, *map(value_of, words), *years}


@dataclass(frozen=True)
class Span:
    """Tokens ``start`` to before ``stop`` of a turn."""

    seen: Exchanged
    start: int
    stop: int

    @cached_property
    def tokens(self) -> list[Token]:
        return self.seen.turn.tokens[self.start : self.stop]

    @cached_property
    def text(self) -> str:
        text = self.seen.turn.text[self.tokens[0].start : self.tokens[-1].end]
        return text if text[0] in ":." else text.strip(" .,!?")

    @cached_property
    def number(self) -> int:
        return self.seen.turn.clause_of[self.start]

    @cached_property
    def clause(self) -> Clause:
        return self.seen.turn.clauses[self.number]

    @cached_property
    def opens_clause(self) -> bool:
        return self.start == self.clause.places[0]

    @cached_property
    def ends_clause(self) -> bool:
        last = self.seen.turn.clause_of[self.stop - 1]
        return self.stop - 1 == self.seen.turn.clauses[last].places[-1]

    @cached_property
    def crosses(self) -> bool:
        return self.seen.turn.clause_of[self.stop - 1] != self.number

    @cached_property
    def has_verb(self) -> bool:
        return any(token.kind in VERBAL for token in self.tokens)

    @cached_property
    def outside(self) -> list[int]:
        """The places of the clause's other words."""
        return [place for place in self.clause.places if not self.start <= place < self.stop]

    @cached_property
    def telling(self) -> list[int]:
        """The places of the words inside that say something."""
        says, numbers = self.seen.says, self.seen.has_number
        return [place for place in range(self.start, self.stop) if says[place] or numbers[place]]

    @cached_property
    def new(self) -> list[int]:
        """The places of those that the reply does not have."""
        seen = self.seen
        return [p for p in self.telling if not seen.said[p] and not seen.in_reply(p)]

    @property
    def before(self) -> Token | None:
        return self.seen.turn.tokens[self.start - 1] if self.start else None

    @property
    def after(self) -> Token | None:
        tokens = self.seen.turn.tokens
        return tokens[self.stop] if self.stop < len(tokens) else None
