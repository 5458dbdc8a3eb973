"""The right answer inside a correction: "no, it's Canberra" → "Canberra".

Readings propose candidates (what follows "it's", what stands before "was", a short clause, a number
that is new …); a linear model over few features ranks them. Its coefficients are data
(data/feedback/judge.json), fitted by ``benchmarks/feedback.py fit``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np

from fledgling.core.words import FUNCTION_WORDS
from fledgling.language.corrections import correction_of
from fledgling.language.sentences import mend_apostrophes

MAX_CHARACTERS = 400  # a correction names its answer early; the rest of a long turn is not read
_CLAUSE = re.compile(
    r"(?:[!?;—–()\n…]|:(?!\d)|(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bMrs)\.(?!\w)|,(?!\d)"
    r"|\s[-–]\s(?=\w{2}))+\s*"
)
_DENIAL = re.compile(
    r"""^(?:(?:no+|nope|nah|wrong|incorrect|false|sorry|but|hm+|wait|oops|well|ok|not\s+quite|really|
        seriously|dude|again|way|actually|close|almost|lol|come\s+on|are\s+you\s+\w+|correction|
        that'?s\s+(?:wrong|not\s+(?:right|true|correct)|a\s+myth|outdated|incorrect)|
        you'?re\s+wrong|you\s+are\s+wrong|i\s+(?:think|believe)(?:\s+you\s+mean)?|technically|
        botanically|obviously)\b[\s,.!]*)+""",
    re.IGNORECASE | re.VERBOSE,
)
_OBJECTS = re.compile(
    r"\b(?:swapped|mixed|mistake|misprint|typo|kidding|myth|outdated|same\s+sound|with\s+(?:an?|two)"
    r"\s+\w$|don'?t|doesn'?t|isn'?t|aren'?t|wasn'?t|can'?t|cant|none|other\s+way)\b|^(?:not|so|thanks)\b",
    re.IGNORECASE,
)
_BE = r"(?:'s|\s+is|\s+was|\s+are|\s+were|\s+has|\s+have|\s+would\s+be|\s+(?:must|should)\s+(?:be|have\s+been|read))"
_READINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("it_is", rf"^(?:it|he|she|they|this|there|we|i){_BE}\s+(?P<answer>.+)$"),
        ("that_is", rf"^(?:that|its){_BE}?\s+(?P<answer>.+)$"),
        ("must_be", r"^(?:must|should)\s+(?:be|have\s+been|read)\s+(?P<answer>.+)$"),
        ("something_is", rf"^(?:[\w'’]+\s+){{0,6}}[\w'’]+?{_BE}\s+(?P<answer>.+)$"),
        ("subject", r"^(?P<answer>.+?)(?:\s+(?:is|was|are|were|did|does|do|has|wrote|won|can|would)\b.*|'s\s.*)$"),
        ("meant", r"\b(?:mean|meant|said|want|wanted|thought)\s+(?P<answer>.+)$"),
        ("meant_after", r"^(?P<answer>.+?)\s+(?:i\s+think\s+)?(?:you|u|i|we)\s+mean\b"),
        ("towards", r"\b(?:to|like|take|use|make\s+(?:that|it)|get|got|takes?|needs?|called|named|says?"
                    r"|starts?\s+with|starts?|started|ended|speaks?|does|went|spelled|painted|had|has|comes?|reads?|means?|wrote|bought|became)\s+(?P<answer>.+)$"),
        ("more", r"\b(?P<answer>(?:more\s+like|at\s+least|around|about|every|only)\s+.+)$"),
        ("whole", r"^(?P<answer>.+)$"),
        ("number", r"(?P<answer>\S*\d\S*)"),
        ("range", r"(?P<answer>\S*\d\S*\s+(?:to|or|and|-)\s+\S+)"),
        ("equals", r"=\s*(?P<answer>\S.*)$"),
        ("number_and_unit", r"(?P<answer>\S*\d\S*\s+[^\W\d_]\w*)"),
        ("from_number", r"(?P<answer>\S*\d.*)$"),
        ("at_place", r"\b(?P<answer>(?:in|on|at|from|until|under|per)\s+.+)$"),
    )
)  # fmt: off
_REST = re.compile(
    r"""\s+(?:actually|please|then|now|nowadays|again|instead|though|obviously|dude|mostly|after\s+all|
        of\s+course|to\s+be\s+exact|my\s+(?:friend|dear)|mate|bro|buddy|i\s+think.*|i\s+believe.*|if\s+.*|says?\s+.*|since\s+.*|
        (?:is|was|are|were|did|does|has|would|can|won)\b.*|for\s+(?:a|an|the)\s+.*|in\s+(?:standard|python|
        germany|finnish|standard\s+\w+)\b.*|\w+\s+ago|years\s+ago|here|this\s+\w+|last\s+\w+|so\s+.*|
        and\s+not\s+.*|not\s+.*|on\s+(?:weekdays|the\s+court)|at\s+the\s+(?:end|very\s+least)|
        today|with\s+(?:you|me|him|her|us|them|an?\s+\w)|on\s+fridays|every\s+\w+$|years?\s+ago|last\s+year|
        because\s+.*|in\s+case\s+.*|dont.*|believe\s+.*)$""",
    re.IGNORECASE | re.VERBOSE,
)
_PLACES = frozenset("in on at from until under per for with to by".split())
_TOKEN = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*%?")


def candidates(reaction: str, prompt: str) -> dict[str, set[str]]:
    """Every proposed answer with the names of the readings that propose it."""
    text = mend_apostrophes(reaction[:MAX_CHARACTERS].strip()).strip()
    found: dict[str, set[str]] = {}
    for piece, names in _pieces(text):
        stripped = _DENIAL.sub("", piece).strip()
        for name, pattern in _READINGS:
            for match in pattern.finditer(stripped):
                answer = match["answer"].strip(" .,!?")
                short = _REST.sub("", answer).strip(" .,!?")
                for kept in {answer, short}:
                    if len(kept.split()) <= 10 and _says_something(kept):
                        trimmed = {"trimmed"} if kept != answer else set()
                        found.setdefault(kept, set()).update({name}, names, trimmed)
    read = correction_of(text, prompt)
    answer = ((read[1] or read[0]) if read else "").strip(" .,!?")
    if answer:
        found.setdefault(answer, set()).add("as_read")
    return found


def _pieces(text: str) -> Iterator[tuple[str, set[str]]]:
    """The clauses of a turn, and the whole turn without its opening denial, with where they
    stand.
    """
    clauses = [piece for piece in _CLAUSE.split(text) if re.search(r"\w", piece)]
    kept = [piece for piece in clauses if _DENIAL.sub("", piece).strip()]
    for place, piece in enumerate(kept):
        names = (
            {"first_clause"} if place == 0 else {"last_clause"} if place == len(kept) - 1 else set()
        )
        if _OBJECTS.search(piece):
            names.add("objecting_clause")
        if place and any(_OBJECTS.search(before) for before in kept[:place]):
            names.add("after_objection")
        if place + 1 < len(kept) and _OBJECTS.search(kept[place + 1]):
            names.add("before_objection")
        yield piece, names
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
    known = ("first_clause", "last_clause", "objecting_clause", "after_objection", "before_objection",
             "many_clauses", "trimmed", "as_read")  # fmt: off
    return {
        **{name: float(name in names) for name, _ in _READINGS},
        **{name: float(name in names) for name in known},
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
        "objects": float(_OBJECTS.search(answer) is not None),
        "has_verb": float(any(word in {"is", "was", "are", "it's", "did", "you"} for word in inside)),
    }  # fmt: off


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
    reaction: str, *, prompt: str, reply: str, weights: Mapping[str, float]
) -> list[tuple[float, str]]:
    """(score, candidate) of every candidate, the best first."""
    scored = []
    for answer, names in candidates(reaction, prompt).items():
        described = describe(answer, names, reaction=reaction, prompt=prompt, reply=reply)
        score = sum(weights.get(name, 0.0) * value for name, value in described.items())
        scored.append((float(score), answer))
    return sorted(scored, key=lambda pair: -pair[0])


def fit_ranker(
    cases: Sequence[tuple[str, str, str, Sequence[str]]], *, strength: float
) -> dict[str, float]:
    """Weights of the ranker from (prompt, reply, reaction, accepted answers): the conditional logit
    model (McFadden, 1974) over the candidates of each turn, with an L2 penalty of
    1 / (2·``strength``).
    """
    from scipy.optimize import minimize

    turns: list[tuple[np.ndarray, np.ndarray]] = []
    names: list[str] = []
    for prompt, reply, reaction, accepted in cases:
        found = candidates(reaction, prompt)
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
