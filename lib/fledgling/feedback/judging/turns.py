"""A turn that corrects, cut into words of a kind and into clauses: "no" | "Kr is krypton" |
"K stands for potassium".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from fledgling.feedback.judging.grammar import is_number, read_grammar
from fledgling.language.sentences import mend_apostrophes
from fledgling.language.verbs import base_of, is_base_verb

MAX_CHARACTERS = 400  # a correction names its answer early; the rest of a long turn is not read
VERBAL = frozenset(("be", "have", "modal", "verb"))
_BARE_ITS = re.compile(  # "no its canberra", "for cats its about 65 days"
    r"(?:(?<=^)|(?<=[,.!?;:]\s)|(?<=\bnow\s)|(?<=\bno\s)|(?<=\bbut\s)|(?<=\bactually\s))its\b"
    r"|\bits(?=\s+(?:about|around|an?|the|not|\d))",
    re.IGNORECASE,
)
_CLITIC = re.compile(r"^(?P<word>.*\w)(?P<clitic>'s|'re|'d|'ll|'ve)$", re.IGNORECASE)
_CODE = re.compile(r"[()=<>\[\]{}\\]")
_TITLES = frozenset(("mr.", "mrs.", "ms.", "dr.", "st."))
_DASHES = frozenset(("-", "–", "—", "...", "…"))
_QUOTES = '"“”'


@dataclass
class Token:
    """A word at ``start`` to ``end`` of the turn: ``word`` in small letters without quotes, and
    ``stop``, the kind of mark that follows: "," "?" "." (every other) or "".
    """

    text: str
    start: int
    end: int
    stop: str = ""
    kind: str = "other"

    @property
    def word(self) -> str:
        return self.text.lower().strip(_QUOTES)

    @property
    def quoted(self) -> bool:
        return self.text[0] in _QUOTES or self.text[-1] in _QUOTES


@dataclass(frozen=True)
class Clause:
    """The places of its tokens without its opening words, and of its first verb; whether it is a
    mere reason, is negated, and only objects.
    """

    places: tuple[int, ...]
    verb: int | None
    reason: bool
    negated: bool
    objects: bool


@dataclass(frozen=True)
class Turn:
    """Tokens, the number of each one's clause, whether each only opens, and clauses by number."""

    text: str
    tokens: list[Token]
    clause_of: list[int]
    opens: list[bool]
    clauses: dict[int, Clause]


def read_turn(said: str) -> Turn:
    """Cut a turn into words and clauses."""
    text = _BARE_ITS.sub("it's", mend_apostrophes(said[:MAX_CHARACTERS].strip()))
    tokens = list(_tokens(text))
    if tokens:
        tokens[-1].stop = tokens[-1].stop or "."
    _set_kinds(tokens)
    clause_of = _clause_numbers(tokens)
    opens = _opening(text, tokens)
    clauses = {}
    for number in sorted(set(clause_of)):
        own = [place for place, of in enumerate(clause_of) if of == number]
        places = tuple(place for place in own if not opens[place])
        if places:
            clauses[number] = _clause(text, tokens, own[0], places)
    return Turn(text, tokens, clause_of, opens, clauses)


def _tokens(text: str) -> Iterator[Token]:
    """Words between blanks without the marks around them; "it's" is two."""
    before: Token | None = None
    for match in re.finditer(r"\S+", text):
        chunk, start, stop = match.group(), match.start(), ""
        if not re.search(r"\w", chunk) and (chunk in _DASHES or not chunk.strip(",.!?;:)(")):
            is_minus = chunk == "-" and re.match(r"\s+\w(?:\s|$)", text[match.end() :])
            if before is not None and not is_minus:
                before.stop = before.stop or "."
            if not is_minus:
                continue
        if chunk[0] == "(" and chunk[1:] and not _CODE.search(chunk.strip("().,!?;:")):
            chunk, start = chunk[1:], start + 1
            if before is not None:
                before.stop = before.stop or "."
        kept = chunk if chunk.lower() in _TITLES else chunk.rstrip(",.!?;:…—–")
        if kept != chunk:
            marks = chunk[len(kept) :]
            stop = "," if marks == "," else "?" if "?" in marks else "."
        if kept.endswith(")") and "(" not in kept:
            kept, stop = kept[:-1], stop or "."
        if not kept:
            continue
        clitic = _CLITIC.match(kept)
        middle = start + len(clitic["word"]) if clitic else start
        if clitic:
            yield Token(clitic["word"], start, middle)
        before = Token(text[middle : start + len(kept)], middle, start + len(kept), stop)
        yield before


def _set_kinds(tokens: list[Token]) -> None:
    """Give every token its kind: by its word first, then by those beside it."""
    for token in tokens:
        token.kind = _kind(token)
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place and not tokens[place - 1].stop else None
        after = tokens[place + 1] if not token.stop and place + 1 < len(tokens) else None
        token.kind = _kind_beside(token, before, after)
    _set_adverbs(tokens)


def _kind(token: Token) -> str:
    grammar, word = read_grammar(), token.word
    if not re.search(r"\w", word):
        return grammar.kinds.get(word, "symbol")
    if token.quoted:
        return "number" if is_number(word) else "other"
    if word in grammar.kinds:
        return grammar.kinds[word]
    if word.endswith("ly") and len(word) > 5 and token.text[0].islower():
        return "adverb"
    if is_number(word):
        return "number"
    return "verb" if base_of(word) else "other"


def _kind_beside(token: Token, before: Token | None, after: Token | None) -> str:
    """The kind again, where the words beside tell more: "farms" is no verb in "wind farms"."""
    grammar, kind, word = read_grammar(), token.kind, token.word
    if kind == "determiner" and after is None:
        return "other"  # "C G D A"
    if word == "i" and before and (after is None or len(before.word) == 1):
        return "other"  # a letter that is spelled out
    if word == "one" and before and before.kind in ("determiner", "other"):
        return "pronoun"
    if before and after is None and word in grammar.words["closers"]:
        return "adverb"
    if kind not in ("verb", "other") or word in grammar.kinds or token.quoted:
        return kind
    if kind == "verb" and _is_finite(token, before, after):
        return "verb"
    is_base = is_base_verb(word) or word in grammar.words["orders"]
    return "verb" if is_base and after and _is_told(token, before, after) else "other"


def _is_finite(token: Token, before: Token | None, after: Token | None) -> bool:
    """Whether what looks like a verb's form stands where a verb would."""
    is_base = is_base_verb(token.word)
    if before is None:
        opens = after is not None and after.kind in ("preposition", "determiner", "pronoun")
        return opens and not is_base  # "moved to Thursday"
    if is_base and not (
        before.kind in ("pronoun", "modal") or before.word == "to" or before.word.endswith("s")
    ):
        return False
    if before.kind in ("determiner", "preposition", "number"):
        return False
    if after is None:
        return not token.word.endswith("s") or before.kind == "pronoun"
    return after.kind not in VERBAL - {"verb"}


def _is_told(token: Token, before: Token | None, after: Token) -> bool:
    """Whether a verb's base form stands after "you", "to" or a plural, or opens an order."""
    if before is None:
        is_order = token.word in read_grammar().words["orders"]
        return after.kind in ("determiner", "number", "pronoun") or (
            is_order and after.kind != "be"
        )
    if before.word == "and":
        return after.kind in ("determiner", "number", "pronoun", "preposition")
    if before.word in ("i", "we", "you", "u", "they", "us", "to", "who", "not"):
        return True
    is_plural = before.kind == "other" and before.word.endswith("s") and len(before.word) > 3
    return before.kind in ("modal", "have") or (is_plural and after.kind != "number")


def _set_adverbs(tokens: list[Token]) -> None:
    """Adverbs of two words: "of course", "last year", "two years ago"."""
    words = read_grammar().words
    for place, (first, second) in enumerate(pairwise(tokens)):
        before = tokens[place - 1] if place and not tokens[place - 1].stop else None
        is_time = first.word in ("this", "last", "every", "next") and second.word in words["times"]
        is_ago = second.word == "ago"
        if (first.word, second.word) in read_grammar().pairs or is_ago or (is_time and before):
            first.kind = second.kind = "adverb"
        if is_ago and before and before.kind in ("number", "determiner"):
            before.kind = "adverb"


def _clause_numbers(tokens: list[Token]) -> list[int]:
    numbers: list[int] = []
    current = 0
    for place in range(len(tokens)):
        if place and (tokens[place - 1].stop or _begins(tokens, place, numbers)):
            current += 1
        numbers.append(current)
    return numbers


def _begins(tokens: list[Token], place: int, numbers: list[int]) -> bool:
    """Whether a clause begins at ``place``, where no mark says so."""
    grammar, token, before = read_grammar(), tokens[place], tokens[place - 1]
    left = [one for one, of in zip(tokens, numbers, strict=False) if of == numbers[-1]]
    has_verb = any(one.kind in VERBAL for one in left)
    following = tokens[place + 1] if not token.stop else None
    if token.word in grammar.words["breaks"]:
        return True
    if following is None:
        return False
    if (token.word, following.word) in grammar.pair_breaks:
        return True
    if token.word in ("says", "say", "said"):  # "70 says my watch"
        return following.kind in ("determiner", "pronoun") and not has_verb
    if token.word == "and":
        end = next(n for n in range(place, len(tokens)) if tokens[n].stop)
        return has_verb and any(one.kind in VERBAL for one in tokens[place + 1 : end + 1])
    joins = VERBAL - {"verb"} | {"pronoun", "adverb", "determiner", "conjunction"}
    return token.word == "not" and before.kind not in joins  # "417 not 471"


def _opening(text: str, tokens: list[Token]) -> list[bool]:
    """Which tokens only open a clause: "no", "sorry", "that's wrong", "you mean"."""
    grammar = read_grammar()
    opens = [False] * len(tokens)
    for place, token in enumerate(tokens):
        if token.word in grammar.words["openers"]:
            opens[place] = place == 0 or bool(tokens[place - 1].stop) or opens[place - 1]
    for match in grammar.opening.finditer(text):
        inside = [
            place
            for place, token in enumerate(tokens)
            if token.start >= match.start() and token.end <= match.end()
        ]
        if inside and (inside[0] == 0 or tokens[inside[0] - 1].stop or opens[inside[0] - 1]):
            for place in inside:
                opens[place] = True
    return opens


def _clause(text: str, tokens: list[Token], first: int, places: tuple[int, ...]) -> Clause:
    said = text[tokens[places[0]].start : tokens[places[-1]].end]
    return Clause(
        places,
        next((place for place in places if tokens[place].kind in VERBAL), None),
        tokens[first].word in read_grammar().words["reasons"],
        any(tokens[p].kind == "negation" or tokens[p].word.endswith("n't") for p in places),
        read_grammar().objections.search(said) is not None,
    )
