"""What the rules see of a candidate, as named features for the detector: the shape of its words,
the cues found in it, and what surrounds it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lemminflect import getAllLemmas

from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA
from fledgling.language.asking import asked_kind
from fledgling.language.candidates import Candidate
from fledgling.language.cues import cue, cue_names
from fledgling.language.filters import is_command, is_question, reason_against, reason_against_turn
from fledgling.language.grammar import Clause, split_clause
from fledgling.language.perspective import strip_lead_in
from fledgling.language.readings import full_statement, read
from fledgling.language.settings import LanguageSection
from fledgling.language.verbs import base_of, guessed_base

_TOKEN = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s]")
_NUMBER = re.compile(r"\d")
_SHORTEST_SLIP = 4  # letters: shorter words are near too many others
_LONGEST = 3  # words of a shape that are looked at together: "i | do_verb | in"
_START, _END = "<", ">"


@lru_cache(maxsize=1)
def _classes() -> dict[str, str]:
    """Word → its class, or itself for a function word."""
    found: dict[str, str] = {}
    for name, listed in read_yaml(DATA / "language" / "classes.yaml").items():
        for word in listed.split():
            found.setdefault(word, word if name == "itself" else name)
    return found


def shape(text: str) -> list[str]:
    """The classes of the words of ``text``, in order.

    >>> shape("My sister lives in Oslo!")
    ['my', 'kin', 'live_verb-s', 'in', 'Name', '!']
    """
    tokens = _TOKEN.findall(text)
    return [_class_of(token, is_first=place == 0) for place, token in enumerate(tokens)]


def _class_of(token: str, *, is_first: bool) -> str:
    word = token.lower()
    if word in _classes():
        return _classes()[word]
    if _NUMBER.search(word):
        return "number"
    if not word[0].isalpha():
        return word
    base = base_of(word)
    if base is None and word.endswith("ing"):
        base = guessed_base(word)
    if base is not None:
        return _classes().get(base, "verb") + _ending(word, base)
    if token[0].isupper() and not is_first:
        return "Name"
    meant = _meant(word) if token.islower() else ""
    if meant:
        return _class_of(meant, is_first=is_first)
    singular = word.removesuffix("'s").removesuffix("s")
    if singular in _classes():
        return _classes()[singular] + ("'s" if word.endswith("'s") else "")
    return "Word" if token[0].isupper() else "-ly" if word.endswith("ly") else "word"


@lru_cache(maxsize=1)
def _misspellings() -> dict[str, str]:
    """Every listed word with a letter left out → the word, to find slips of the finger by."""
    slips: dict[str, str] = {}
    for word in _classes():
        if len(word) >= _SHORTEST_SLIP:
            for slip in _with_a_letter_less(word):
                slips.setdefault(slip, word)
    return slips


def _with_a_letter_less(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _meant(word: str) -> str:
    """The listed word that a misspelt one stands for, one letter too many, too few or another, or
    "" for a word that exists.

    Deletions on both sides find all three (Garbe's symmetric delete).
    """
    if len(word) < _SHORTEST_SLIP or getAllLemmas(word) or not word.isalpha():
        return ""
    slips = _misspellings()
    near = [word, *_with_a_letter_less(word)]
    return next((_listed(slip, slips) for slip in near if _listed(slip, slips)), "")


def _listed(slip: str, slips: dict[str, str]) -> str:
    return slip if slip in _classes() else slips.get(slip, "")


def _ending(word: str, base: str) -> str:
    if word == base:
        return ""
    return "-ing" if word.endswith("ing") else "-s" if word.endswith("s") else "-past"


def features(candidate: Candidate, section: LanguageSection) -> set[str]:
    """The names of what holds of a candidate."""
    text = candidate.text
    found = _runs(shape(text)) | _of_cues(candidate) | _of_surroundings(candidate)
    plain = full_statement(candidate.piece.alone)
    reading = read(plain, section)
    found.add(f"relation:{reading.relation if reading else 'none'}")
    clause = split_clause(plain)
    return found | (_of_clause(clause) if clause is not None else {"no clause"})


def _runs(symbols: list[str]) -> set[str]:
    """Runs of up to three symbols, the start and the end of the text among them."""
    framed = [_START, *symbols, _END]
    found = set()
    for length in range(1, _LONGEST + 1):
        for start in range(len(framed) - length + 1):
            found.add(" ".join(framed[start : start + length]))
    return found


def _of_cues(candidate: Candidate) -> set[str]:
    said = strip_lead_in(candidate.text)
    found = {f"why:{reason_against(said)}", f"all:{reason_against_turn(candidate.turn)}"}
    found |= {f"sentence:{reason_against(strip_lead_in(candidate.piece.sentence))}"}
    return found | {f"cue:{name}" for name in cue_names() if cue(name, said)}


def _of_clause(clause: Clause) -> set[str]:
    subject, verb = shape(clause.subject), shape(clause.verb)
    rest = shape(clause.rest)
    head = f"{subject[0] if subject else ''}..{subject[-1] if subject else ''}"
    names = {f"subject:{head}", f"verb:{' '.join(verb)}", f"object:{' '.join(rest[:2])}"}
    names |= {f"subject:{head} verb:{' '.join(verb)}", f"past:{clause.past}"}
    names |= {f"deny:{clause.negation}"} if clause.negation else set()
    if any(symbol in ("today", "soon", "date", "habit", "past_time") for symbol in rest):
        names |= {f"{symbol} past:{clause.past}" for symbol in rest if symbol in _TIMES}
    return names


_TIMES = frozenset({"today", "soon", "date", "habit", "past_time"})


def _of_surroundings(candidate: Candidate) -> set[str]:
    """The question before the turn, and what else the turn holds."""
    found = set()
    if candidate.asked:
        found |= {"asked", f"asked:{asked_kind(candidate.asked)}"}
        found |= {f"asked corrects:{candidate.correction is not None}"}
    if candidate.text != candidate.turn:
        rest = candidate.turn.replace(candidate.piece.said, " ").strip()
        found |= {"part", f"part asks:{is_question(rest)}", f"part orders:{is_command(rest)}"}
        found |= {f"rest:{symbol}" for symbol in shape(rest)}
    return found
