"""Taking a fact back: "Tom is not my friend any more", "Lena no longer lives in Oslo", "I quit my
job".

The retracted fact is found by saying the sentence without its negation and reading that.
"""

from __future__ import annotations

import re

from fledgling.language.verbs import guessed_base, third_person

_LONGER = re.compile(r",?\s*\b(?:any\s?more|any\s+longer)\b", re.IGNORECASE)
_NO_LONGER = re.compile(r"\bno\s+longer\s+(?P<verb>[\w-]+)?", re.IGNORECASE)
_DO_NOT = re.compile(r"\b(?P<do>do|does|did)(?:\s+not|n't)\s+(?P<verb>\w+)", re.IGNORECASE)
_BE_NOT = re.compile(
    r"\b(?P<verb>am|is|are|was|were|has|have|had|can|will)(?:\s+not\b|n't\b)\s*", re.IGNORECASE
)
# Sixty characters hold any subject; without a bound the search would be quadratic.
_WHO = r"^(?P<who>.{1,60}?)\s+(?:has\s+|have\s+|just\s+|recently\s+)*"
_STOPPED = re.compile(
    rf"{_WHO}(?:stopped|quit|gave\s+up|given\s+up)\s+"
    r"(?P<verb>\w+ing)\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_LEFT = re.compile(
    rf"{_WHO}(?:quit|resigned\s+from|was\s+fired\s+from|retired\s+from|left)\s+"
    r"(?P<job>(?:(?:my|his|her|our|the|their)\s+)?(?:job|position|post|work)\b.*)$",
    re.IGNORECASE,
)


def affirmed(text: str) -> str | None:
    """The sentence that ``text`` takes back, or None when it takes nothing back.

    >>> affirmed("Lena no longer lives in Oslo")
    'Lena lives in Oslo'
    >>> affirmed("I don't work at the bank any more")
    'I work at the bank'
    >>> affirmed("Tom is not my brother") is None
    True
    """
    # "no longer" stands where the verb's own negation would, so dropping it is enough.
    if _NO_LONGER.search(text):
        return re.sub(r"\s+", " ", _NO_LONGER.sub(lambda match: match["verb"] or "", text)).strip()
    if _LONGER.search(text):
        shorter = _LONGER.sub("", text)
        plain = (
            _DO_NOT.sub(_positive, shorter)
            if _DO_NOT.search(shorter)
            else _BE_NOT.sub(r"\g<verb> ", shorter)
        )
        # "any more" with nothing denied ("want any more tea") takes nothing back.
        return re.sub(r"\s+", " ", plain).strip() if plain != shorter else None
    stopped = _STOPPED.match(text)
    if stopped is not None:
        return f"{stopped['who']} {_finite(stopped['who'], stopped['verb'])}{stopped['rest']}"
    # What one quits is something that one had.
    left = _LEFT.match(text)
    if left is not None:
        return f"{left['who']} {'have' if _is_first_person(left['who']) else 'has'} {left['job']}"
    return None


def _positive(match: re.Match[str]) -> str:
    verb = match["verb"].lower()
    return third_person(verb) if match["do"].lower() == "does" else match["verb"]


def _finite(who: str, gerund: str) -> str:
    base = guessed_base(gerund)
    return base if _is_first_person(who) else third_person(base)


def _is_first_person(who: str) -> bool:
    return who.strip().lower() in {"i", "we"}
