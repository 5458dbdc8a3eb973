"""Is a reply right? Free text scored by rule in whole words, as strictly as was asked.

A sentence that merely holds the answer is right where anybody may answer as they like. Where a form
was asked for, only that form is right, so that a stored sentence repeated word for word is not.
"""

from __future__ import annotations

from collections.abc import Iterable

from fledgling.core.answers import contains, normalise
from fledgling.facts.measuring.streams import Probe

_HEDGES = frozenset({"no", "not", "or", "nor", "maybe", "perhaps", "actually", "either"})
_OPPOSITE = {"yes": "no", "no": "yes"}


def is_right(probe: Probe, reply: str, *, stated: Iterable[str] = ()) -> bool:
    """Whether ``reply`` answers ``probe``. ``stated``: the fact in the words in which it was told
    and is stored, which a result *in passing* must not merely repeat.
    """
    if probe.kind != "use" or probe.form == "two_facts":
        return contains(reply, probe.answers)
    if probe.form == "yes_no":
        return _says(reply, probe.answers)
    if probe.form == "one_word":
        return _opens_with(reply, probe.answers)
    if probe.form == "choice":
        return contains(reply, probe.answers) and not contains(reply, probe.wrong)
    return contains(reply, probe.answers) and _adds_to(reply, stated)


def _says(reply: str, answers: Iterable[str]) -> bool:
    """The first word is the right one of yes and no, and the other does not follow."""
    said = normalise(reply).split()
    wanted = [answer for answer in map(normalise, answers) if answer in _OPPOSITE]
    return bool(said) and said[0] in wanted and _OPPOSITE[said[0]] not in said


def _opens_with(reply: str, answers: Iterable[str]) -> bool:
    """The reply begins with an accepted answer, and nothing after it takes that back."""
    said = normalise(reply).split()
    for answer in answers:
        wanted = normalise(answer).split()
        if wanted and said[: len(wanted)] == wanted:
            return not _HEDGES.intersection(said[len(wanted) :])
    return False


def _adds_to(reply: str, stated: Iterable[str]) -> bool:
    """The reply says more than what was stated: at least two words of its own."""
    told = {word for text in stated for word in normalise(text).split()}
    return len([word for word in normalise(reply).split() if word not in told]) >= 2
