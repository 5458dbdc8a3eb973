"""The right answer inside a correction: "no, it's Canberra" → "Canberra".

Readings propose candidates (what follows "it's", what stands before "was", a short clause, a number
that is new …); a linear model over few features ranks them. Its coefficients are data
(data/feedback/judge.json), fitted by ``benchmarks/feedback.py fit``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA
from fledgling.core.words import FUNCTION_WORDS
from fledgling.language.corrections import find_correction
from fledgling.language.sentences import mend_apostrophes
from fledgling.language.settings import LanguageSection

GRAMMAR = DATA / "feedback" / "answers.yaml"
MAX_CHARACTERS = 400  # a correction names its answer early; the rest of a long turn is not read
_CLAUSE = re.compile(
    r"(?:[!?;—–()\n…]|:(?!\d)|(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bMrs)\.(?!\w)|,(?!\d)"
    r"|\s[-–]\s(?=\w{2}))+\s*"
)
_BARE_ITS = re.compile(r"(?:(?<=^)|(?<=[,.!]\s))its\b", re.IGNORECASE)  # "no, its canberra"
_SIGNS = (
    "first_clause",
    "last_clause",
    "objecting_clause",
    "after_objection",
    "before_objection",
    "many_clauses",
    "trimmed",
    "as_read",
)
_VERBS = frozenset(("is", "was", "are", "it's", "did", "you"))
_PLACES = frozenset(("in", "on", "at", "from", "until", "under", "per", "for", "with", "to", "by"))
_TOKEN = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*%?")


@dataclass(frozen=True)
class Grammar:
    """The expressions of data/feedback/answers.yaml, compiled."""

    denials: re.Pattern[str]
    objections: re.Pattern[str]
    rests: re.Pattern[str]
    readings: dict[str, re.Pattern[str]]


@lru_cache(maxsize=4)
def read_grammar(path: Path = GRAMMAR) -> Grammar:
    """Read and compile the expressions. Raises ``DataError`` naming a broken one."""
    values = read_yaml(path)
    try:
        denials, objections, rests = (
            "|".join(f"(?:{line})" for line in values[name])
            for name in ("denials", "objections", "rests")
        )
        readings = {
            name: _compiled(line.replace("BE", values["be"]))
            for name, line in values["readings"].items()
        }
        return Grammar(
            _compiled(rf"^(?:(?:{denials})\b[\s,.!]*)+"),
            _compiled(objections),
            _compiled(rf"\s+(?:{rests})$"),
            readings,
        )
    except (re.error, KeyError, AttributeError, TypeError) as error:
        raise DataError(f"{path} holds a broken expression: {error}") from error


def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE | re.VERBOSE)


def candidates(reaction: str, prompt: str, language: LanguageSection) -> dict[str, set[str]]:
    """Every proposed answer with the names of the readings that propose it."""
    grammar = read_grammar()
    text = mend_apostrophes(reaction[:MAX_CHARACTERS].strip()).strip()
    found: dict[str, set[str]] = {}
    for piece, names in _pieces(text, grammar):
        stripped = grammar.denials.sub("", piece).strip()
        for name, pattern in grammar.readings.items():
            for match in pattern.finditer(stripped):
                answer = match["answer"].strip(" .,!?")
                short = grammar.rests.sub("", answer).strip(" .,!?")
                for kept in {answer, short}:
                    if len(kept.split()) <= 10 and _says_something(kept):
                        trimmed = {"trimmed"} if kept != answer else set()
                        found.setdefault(kept, set()).update({name}, names, trimmed)
    read = find_correction(_BARE_ITS.sub("it's", text), prompt, language)
    answer = ((read.answer or read.said) if read else "").strip(" .,!?")
    if answer:
        found.setdefault(answer, set()).add("as_read")
    return found


def _pieces(text: str, grammar: Grammar) -> Iterator[tuple[str, set[str]]]:
    """The clauses of a turn, and the whole turn without its opening denial, with where they
    stand.
    """
    clauses = [piece for piece in _CLAUSE.split(text) if re.search(r"\w", piece)]
    kept = [piece for piece in clauses if grammar.denials.sub("", piece).strip()]
    objects = [grammar.objections.search(piece) is not None for piece in kept]
    for place, piece in enumerate(kept):
        signs = {
            "first_clause": place == 0,
            "last_clause": 0 < place == len(kept) - 1,
            "objecting_clause": objects[place],
            "after_objection": any(objects[:place]),
            "before_objection": any(objects[place + 1 : place + 2]),
        }
        yield piece, {name for name, seen in signs.items() if seen}
    if len(kept) > 1:
        yield text, {"many_clauses"}


def _says_something(answer: str) -> bool:
    return any(word.partition("'")[0] not in FUNCTION_WORDS for word in words_of(answer)) or bool(
        re.search(r"[^\w\s.,!?'\"]", answer)
    )


def describe(
    answer: str, names: set[str], *, reaction: str, prompt: str, reply: str
) -> dict[str, float]:
    """What speaks for or against a candidate, by name, each about 0 to 1."""
    inside = words_of(answer)
    said, asked = set(words_of(reply)), set(words_of(prompt))
    turn = words_of(mend_apostrophes(reaction[:MAX_CHARACTERS]))
    new = [word for word in inside if word not in said]
    outside = [
        word for word in turn if word not in said | asked | FUNCTION_WORDS and word not in inside
    ]
    numbers = [word for word in inside if _has_digit(word)]
    count = max(len(inside), 1)
    grammar = read_grammar()
    return {
        **{name: float(name in names) for name in (*grammar.readings, *_SIGNS)},
        "length": min(count, 10) / 10,
        "over_four": float(count > 4),
        "new_share": len(new) / count,
        "nothing_new": float(not new),
        "left_out": min(len(outside), 6) / 6,
        "in_question": sum(word in asked for word in inside) / count,
        "new_number": float(any(word not in said for word in numbers)),
        "number_missed": float(not numbers and any(map(_has_digit, turn))),
        "number_for_number": float(bool(numbers) and any(map(_has_digit, said))),
        "range_of_numbers": float(len(numbers) > 1 and "range" in names),
        "question_not_reply": sum(word in asked and word not in said for word in inside) / count,
        "alike": alike(new, [word for word in said if word not in turn]),
        "preposition_kept": float(bool(inside) and inside[0] in said and inside[0] in _PLACES),
        "preposition_new": float(bool(inside) and inside[0] not in said and inside[0] in _PLACES),
        "function_last": float(bool(inside) and inside[-1] in FUNCTION_WORDS),
        "function_first": float(bool(inside) and inside[0] in FUNCTION_WORDS),
        "same_first_word": float(bool(inside) and inside[0] in words_of(reply)[:40] and bool(new)),
        "objects": float(grammar.objections.search(answer) is not None),
        "has_verb": float(any(word in _VERBS for word in inside)),
    }


def alike(new: Sequence[str], others: Sequence[str]) -> float:
    """How much a new word looks like one that it may stand for ("Tim" for "Tom"), 0.6 to 1; else
    0.
    """
    pairs = [(one, other) for one in new[:12] for other in others[:60]]
    best = max((SequenceMatcher(None, one, other).ratio() for one, other in pairs), default=0.0)
    return best if best >= 0.6 else 0.0


def words_of(text: str) -> list[str]:
    """The words of a text in small letters."""
    return [match.group().lower().replace("’", "'") for match in _TOKEN.finditer(text)]


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def plain(text: str) -> str:
    """A phrase as it is compared: small letters, straight apostrophes, no article before it.

    >>> plain("The Großglockner.")
    'großglockner'
    """
    text = " ".join(mend_apostrophes(text).lower().strip(" .,!?\"'").split())
    return re.sub(r"^(?:the|a|an)\s+", "", text)


def rank(
    reaction: str,
    *,
    prompt: str,
    reply: str,
    weights: Mapping[str, float],
    language: LanguageSection,
) -> list[tuple[float, str]]:
    """(score, candidate) of every candidate, the best first."""
    scored = []
    for answer, names in candidates(reaction, prompt, language).items():
        described = describe(answer, names, reaction=reaction, prompt=prompt, reply=reply)
        score = sum(weights.get(name, 0.0) * value for name, value in described.items())
        scored.append((float(score), answer))
    return sorted(scored, key=lambda pair: -pair[0])


def fit_ranker(
    cases: Sequence[tuple[str, str, str, Sequence[str]]],
    language: LanguageSection,
    *,
    strength: float,
) -> dict[str, float]:
    """Weights of the ranker from (prompt, reply, reaction, accepted answers): the conditional logit
    model (McFadden, 1974) over the candidates of each turn, with an L2 penalty of
    1 / (2·``strength``).
    """
    from scipy.optimize import minimize

    turns: list[tuple[np.ndarray, np.ndarray]] = []
    names: list[str] = []
    for prompt, reply, reaction, accepted in cases:
        found = candidates(reaction, prompt, language)
        rows = [
            describe(answer, readings, reaction=reaction, prompt=prompt, reply=reply)
            for answer, readings in found.items()
        ]
        wanted = {plain(answer) for answer in accepted}
        right = np.array([plain(answer) in wanted for answer in found])
        if right.any():
            names = list(rows[0])
            turns.append((np.array([list(row.values()) for row in rows]), right))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = float(weights @ weights) / (2 * strength), weights / strength
        for rows, right in turns:
            scores = rows @ weights
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            hit = shares[right].sum()
            total -= float(np.log(hit))
            slope = slope + rows.T @ shares - rows[right].T @ (shares[right] / hit)
        return total, slope

    found_weights = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x
    return {name: float(value) for name, value in zip(names, found_weights, strict=True)}
