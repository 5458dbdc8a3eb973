"""Just enough English grammar to take a plain statement apart: subject, verb, the rest.

No model and no part-of-speech tags: a list of verbs (``data/language/verbs.txt``), their endings,
and where a verb can stand. Sentences that it cannot take apart give ``None``, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fledgling.core.paths import DATA
from fledgling.language.lexicon import (
    ADVERBS,
    BE,
    DETERMINERS,
    FRONTING,
    FRONTING_ALONE,
    HAVE,
    MODALS,
    PARTICIPLES,
    PLURALS,
    PREPOSITIONS,
    RELATIVE,
)

_NOT_THIRD = ("ss", "us", "is", "'s", "’s", "ous")


@dataclass(frozen=True)
class Clause:
    """``subject verb rest``: "My sister | lives | in Oslo". ``base`` is the verb's base form,
    ``past`` its tense.
    """

    subject: str
    adverbs: str
    verb: str
    base: str
    rest: str
    past: bool

    @property
    def is_be(self) -> bool:
        return self.base == "be"

    @property
    def is_modal(self) -> bool:
        return self.base in MODALS

    @property
    def is_plural(self) -> bool:
        """Whether the verb shows a plural (or first person) subject: "are", "live", "have"."""
        if self.is_be:
            return self.verb.lower() in {"are", "were"}
        return (
            looks_plural(self.subject)
            if self.past or self.is_modal
            else self.verb.lower() == self.base
        )


@lru_cache(maxsize=1)
def _verbs() -> tuple[frozenset[str], dict[str, str], dict[str, str]]:
    """Base forms; irregular past or participle → base; base → irregular past."""
    bases, irregular, pasts = set(), {}, {}
    for line in (DATA / "language" / "verbs.txt").read_text(encoding="utf-8").splitlines():
        for entry in [] if line.startswith("#") else line.split():
            base, *forms = entry.split("/")
            bases.add(base)
            irregular.update({form: base for form in forms if form != base})
            pasts.update({base: forms[0]} if forms else {})
    irregular.pop("found", None)
    return frozenset(bases), {**irregular, "found": "find"}, pasts


def is_base_verb(word: str) -> bool:
    """Whether ``word`` is a verb's base form ("live")."""
    return word.lower() in _verbs()[0]


def base_of(word: str) -> str | None:
    """The base form of a finite verb form, or None when ``word`` is none.

    >>> [base_of(word) for word in ("lives", "studied", "wrote", "is", "table")]
    ['live', 'study', 'write', 'be', None]
    """
    word = word.lower()
    bases, irregular, _ = _verbs()
    if word in BE:
        return "be"
    if word in HAVE:
        return "have"
    if word in MODALS or word in bases:
        return word
    if word in irregular:
        return irregular[word]
    for ending, swaps in (
        ("ies", ("y",)),
        ("es", ("", "e")),
        ("s", ("",)),
        ("ied", ("y",)),
        ("ed", ("", "e")),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word[: -len(ending)]
            for candidate in [stem + swap for swap in swaps] + (
                [stem[:-1]] if _doubled(stem, ending) else []
            ):
                if candidate in bases:
                    return candidate
    return {"does": "do", "goes": "go"}.get(word)


def third_person(base: str) -> str:
    """ "live" → "lives", "study" → "studies", "teach" → "teaches"."""
    if base in {"be", "have"}:
        return {"be": "is", "have": "has"}[base]
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    return base[:-1] + "ies" if base.endswith("y") and base[-2:-1] not in "aeiou" else base + "s"


def past_of(base: str) -> str:
    """ "live" → "lived", "write" → "wrote"."""
    past = _verbs()[2].get(base)
    if past:
        return past
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if base.endswith("y") and base[-2:-1] not in "aeiou" else base + "ed"


def looks_plural(subject: str) -> bool:
    """Whether a noun phrase takes "are": "my parents", "Jan and Piet", "we"."""
    words = subject.lower().split()
    if not words or words[-1] in {"i", "we", "they", "you"}:
        return bool(words) and words[-1] != "i"
    head = re.split(r"\s+(?:of|in|at|on|from|with|for|called|named)\s+", subject.lower())[
        0
    ].split()[-1]
    is_common = words[0] in DETERMINERS or subject[0].islower() or "'s " in subject
    plural_ending = head.endswith("s") and not head.endswith(_NOT_THIRD) and is_common
    return " and " in subject.lower() or plural_ending or head in PLURALS


def split_clause(text: str) -> Clause | None:
    """Take a plain statement apart, or return None where no finite verb is found in its first
    words.
    """
    words = unfronted(text).rstrip(" .!…").split()
    if (
        not 2 <= len(words) <= 80
        or words[0].lower() in ADVERBS - {"both", "all", "most"} | PREPOSITIONS
    ):
        return None
    place = _verb_place(words)
    if place is None:
        return None
    start = place
    while start > 1 and words[start - 1].lower() in ADVERBS:
        start -= 1
    verb = words[place]
    base = base_of(verb) or _guessed_base(verb)
    subject = " ".join(words[:start]).strip(" ,")
    past = verb.lower() in {"was", "were", "had"} or (
        verb.lower() != base and not verb.lower().endswith("s")
    )
    past = (past and base != "be") or verb.lower() in {"was", "were"}
    return Clause(
        subject, " ".join(words[start:place]), verb, base, " ".join(words[place + 1 :]), past
    )


def unfronted(text: str) -> str:
    """An adverbial at the start moved to the end, so that the sentence begins with its subject.

    >>> unfronted("On Sundays my dad bakes bread.")
    'My dad bakes bread on Sundays.'
    """
    words = text.split()
    if len(words) < 3 or words[0].lower().strip(",") not in FRONTING:
        return text
    for place in range(1, min(len(words) - 1, 10)):
        word, before = words[place], words[place - 1]
        opens = word.lower() in {"i", "we"} or (
            word.lower() in DETERMINERS and word.lower() != "that"
        )
        opens = (
            opens
            or (word[0].isupper() and before[-1:] == ",")
            or (
                word[0].isupper()
                and base_of(words[place + 1]) not in (None, words[place + 1].lower())
            )
        )
        joined = (
            before.lower() in PREPOSITIONS | DETERMINERS | {"and", "or"} | FRONTING and place > 1
        )
        if opens and not joined and (place > 1 or before.lower().strip(",") in FRONTING_ALONE):
            front = " ".join(words[:place]).rstrip(",")
            main = " ".join(words[place:])
            if _verb_place(main.rstrip(" .!…").split()) is None:
                return text
            mark = main[-1] if main[-1] in ".!…" else ""
            main = main.rstrip(".!… ")
            return f"{main[0].upper()}{main[1:]} {front[0].lower()}{front[1:]}{mark}"
    return text


def _verb_place(words: list[str]) -> int | None:
    first = words[0].lower()
    if first in {"i", "we"}:
        place = 1
        while place < len(words) - 1 and words[place].lower() in ADVERBS:
            place += 1
        return place if base_of(words[place]) else None
    skip = False
    for place in range(1, min(len(words), 14)):
        word, before = words[place].lower().strip(",;"), words[place - 1].lower()
        if word in RELATIVE and before not in {"and", "or"}:
            skip = True
            continue
        if skip and (base_of(word) or word.endswith("ed")):
            skip = False
        elif _can_be_verb(words, place, word, before):
            return place
    return _bare_verb_place(words)


def _bare_verb_place(words: list[str]) -> int | None:
    """A base form after an unusual plural ("the larvae feed on nettles"), tried when nothing else
    is found.
    """
    for place in range(2, min(len(words) - 1, 14)):
        word, before = words[place].lower(), words[place - 1].lower()
        starts_noun_phrase = words[0].lower() in DETERMINERS
        follows_noun = before not in DETERMINERS | PREPOSITIONS | ADVERBS and before.isalpha()
        following = words[place + 1].lower()
        if (
            starts_noun_phrase
            and follows_noun
            and is_base_verb(word)
            and following in DETERMINERS | PREPOSITIONS
        ):
            return place
    return None


def _can_be_verb(words: list[str], place: int, word: str, before: str) -> bool:
    if word in BE | HAVE | (MODALS - {"may"}):
        return before not in DETERMINERS - {"this", "that", "these", "those", "all", "both"}
    following = words[place + 1].lower() if place + 1 < len(words) else ""
    if (
        before in DETERMINERS | PREPOSITIONS - {"up", "down", "off"}
        or word in PARTICIPLES
        or before == "and"
    ):
        return False
    if following in BE:
        return False
    base = base_of(word)
    if base is None:
        return _may_be_unknown_verb(words, place, word)
    if words[place][0].isupper() and place > 0:
        return False
    if word == base and word not in _verbs()[1]:  # "live": only after a plural, "and" or a pronoun
        plural_name = before.endswith("s") and not before.endswith(_NOT_THIRD)
        return (
            plural_name
            or looks_plural(" ".join(words[:place]))
            or base in {"cost", "cut", "put", "set", "quit"}
        )
    return True


def _may_be_unknown_verb(words: list[str], place: int, word: str) -> bool:
    """An unlisted "-s" or "-ed" word right after a name, followed by something English: "Ola yodels
    in …".
    """
    before = words[place - 1]
    if (
        place >= len(words) - 1
        or not words[place].islower()
        or before.lower() in DETERMINERS | PREPOSITIONS | ADVERBS
    ):
        return False
    following = words[place + 1].lower()
    looks_finite = (word.endswith("s") and not word.endswith(_NOT_THIRD)) or word.endswith("ed")
    ends_noun = (
        following in {"in", "at", "on"}
        and not before[0].isupper()
        and word.endswith("s")
        and place > 2
    )
    is_noun_of = following == "of" or ends_noun
    return (
        looks_finite
        and len(word) > 3
        and not is_noun_of
        and (following in DETERMINERS | PREPOSITIONS)
    )


def _guessed_base(verb: str) -> str:
    verb = verb.lower()
    if verb.endswith("ied"):
        return verb[:-3] + "y"
    if verb.endswith("ed"):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") else verb


def _doubled(stem: str, ending: str) -> bool:
    return ending == "ed" and len(stem) > 2 and stem[-1] == stem[-2]
