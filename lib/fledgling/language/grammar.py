"""Just enough English grammar to take a plain statement apart: subject, verb, the rest.

No model and no part-of-speech tags: a list of verbs and where a verb can stand. Sentences that it
cannot take apart give ``None``, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    QUANTIFIERS,
    RELATIVE,
)
from fledgling.language.verbs import (
    base_of,
    conjugated,
    guessed_base,
    is_base_verb,
    is_only_base,
)

# Endings of words that are neither plurals nor third persons: "glass", "bonus", "this", "Lena's".
_NOT_THIRD = ("ss", "us", "is", "'s", "’s")
_AFTER_HEAD = re.compile(r"\s+(?:of|in|at|on|from|with|for|called|named)\s+")


_SUBJECT_ONLY = frozenset({"he", "she", "they", "everyone", "everybody", "nobody"})
_SHORT_FRONT = 2  # words: "at home"
# Words before which the verb must come, so that a long text costs no more.
_LONGEST_SUBJECT = 40
# Contracted negations that are more than an "n't" at the end.
_NOT = {"can't": "can", "cannot": "can", "won't": "will", "shan't": "shall"}


@dataclass(frozen=True)
class Clause:
    """``subject verb rest``: "My sister | lives | in Oslo". ``base`` is the verb's base form,
    ``past`` its tense. ``negation`` is "not" or "never" where the clause denies what its other
    parts say: "I don't eat meat" is "I | eat | meat" and "not".
    """

    subject: str
    adverbs: str
    verb: str
    base: str
    rest: str
    past: bool
    negation: str = ""

    @property
    def is_be(self) -> bool:
        return self.base == "be"

    @property
    def is_modal(self) -> bool:
        return self.base in MODALS


def looks_plural(subject: str) -> bool:
    """Whether a noun phrase takes "are": "my parents", "Jan and Piet", "we"."""
    words = subject.lower().split()
    if not words or words[-1] in {"i", "we", "they", "you"}:
        return bool(words) and words[-1] != "i"
    if " and " in subject.lower():
        return True
    # "the keys of the shed" is as plural as its head, "keys".
    head = (_AFTER_HEAD.split(subject.lower())[0].split() or [""])[-1]
    is_name = words[0] not in DETERMINERS and subject[0].isupper() and "'s " not in subject
    ends_plural = head.endswith("s") and not head.endswith(_NOT_THIRD)
    return head in PLURALS or (ends_plural and not is_name)


def split_clause(text: str) -> Clause | None:
    """Take a plain statement apart, or return None where no subject or finite verb is found."""
    words = unfronted(text).rstrip(" .!…").split()
    # A first word that cannot open a subject: "in Oslo" is no statement, "all cats are" may be.
    if len(words) < 2 or words[0].lower() in (ADVERBS - QUANTIFIERS) | PREPOSITIONS:
        return None
    positive = [without_not(word) for word in words]
    # The verb is found as if nothing were denied: "doesn't" is in no table, "does" is.
    place = _verb_place(positive)
    if place is None:
        return None
    start = place
    while start > 1 and words[start - 1].lower() in ADVERBS:
        start -= 1
    verb, rest = positive[place], words[place + 1 :]
    if verb != words[place]:
        rest = ["not", *rest]
    negation, adverbs, rest = _negation(words[start:place], rest)
    base = base_of(verb) or guessed_base(verb)
    # "does not eat": the auxiliary only carries tense and "not", which the clause keeps apart.
    if base == "do" and rest and (negation == "not" or is_base_verb(rest[0])):
        verb, base, rest = conjugated(rest[0], like=verb), rest[0].lower(), rest[1:]
    if base == "be":
        past = verb.lower() in {"was", "were"}
    else:
        past = verb.lower() == "had" or (verb.lower() != base and not verb.lower().endswith("s"))
    subject = " ".join(words[:start]).strip(" ,")
    if not any(mark.isalnum() for mark in subject):  # marks alone are no subject
        return None
    return Clause(subject, " ".join(adverbs), verb, base, " ".join(rest), past, negation)


def without_not(word: str) -> str:
    """ "doesn't" → "does"; other words stay."""
    lower = word.lower()
    return _NOT.get(lower) or (word[: -len("n't")] if lower.endswith("n't") else word)


def _negation(adverbs: list[str], rest: list[str]) -> tuple[str, list[str], list[str]]:
    """The word that denies the verb, among the adverbs before it or those after it, and both
    without it.
    """
    until = 0
    while until < len(rest) and rest[until].lower() in ADVERBS | {"not"}:
        until += 1
    around = [word.lower() for word in adverbs + rest[:until]]
    negation = next((word for word in ("not", "never") if word in around), "")
    before = [word for word in adverbs if word.lower() != negation]
    after = [word for word in rest[:until] if word.lower() != negation]
    return negation, before, after + rest[until:]


def unfronted(text: str) -> str:
    """An adverbial at the start moved to the end, so that the sentence begins with its subject.

    >>> unfronted("On Sundays my dad bakes bread.")
    'My dad bakes bread on Sundays.'
    """
    words = text.split()
    if len(words) < 3 or words[0].lower().strip(",") not in FRONTING:
        return text
    for place in range(1, len(words) - 1):
        if not _opens_main_clause(words, place):
            continue
        front = " ".join(words[:place]).rstrip(",")
        main = " ".join(words[place:])
        mark = main[-1] if main[-1] in ".!…" else ""
        main = main.rstrip(".!… ")
        # What is left must still be a sentence, or the cut was at the wrong place.
        if _verb_place(main.split()) is None:
            return text
        return f"{main[0].upper()}{main[1:]} {front[0].lower()}{front[1:]}{mark}"
    return text


def _opens_main_clause(words: list[str], place: int) -> bool:
    """Whether the subject starts at ``place``, everything before it being the adverbial."""
    word, before, after = words[place], words[place - 1], words[place + 1]
    if place == 1 and before.lower().strip(",") not in FRONTING_ALONE:
        return False
    if word.lower() in _SUBJECT_ONLY:  # "at home she", not "on the day she was born"
        return before.endswith(",") or place <= _SHORT_FRONT
    if word.lower() in {"i", "we"} and before.lower() == "that":  # "before that I lived in Ghent"
        return True
    if place > 1 and before.lower() in PREPOSITIONS | DETERMINERS | {"and", "or"} | FRONTING:
        return False
    if word.lower() in {"i", "we"} or word.lower() in DETERMINERS - {"that"}:
        return True
    # A name opens it after a comma, or where a finite verb follows: "In May Lena moved".
    follows_finite = base_of(after) not in (None, after.lower())
    return word[0].isupper() and (before.endswith(",") or follows_finite)


def _verb_place(words: list[str]) -> int | None:
    if not words:
        return None
    # After "I" comes the verb or an adverb, nothing else: no search, and no doubt.
    if words[0].lower() in {"i", "we"}:
        place = 1
        while place < len(words) - 1 and words[place].lower() in ADVERBS:
            place += 1
        if place == len(words):
            return None
        is_verb = base_of(words[place]) or _may_be_unknown_verb(words, place, words[place])
        return place if is_verb else None
    # After "she" an unlisted word in "-s" is a verb: "she chews everything".
    if words[0].lower() in {"he", "she", "it"} and len(words) > len(("she", "chews")):
        is_third = words[1].endswith("s") and not words[1].endswith(_NOT_THIRD)
        if is_third and words[1].islower() and words[1].isalpha():
            return 1
    in_relative = False  # inside "who lives there", whose verb is not the sentence's
    for place in range(1, min(len(words), _LONGEST_SUBJECT)):
        word, before = words[place].lower().strip(",;"), words[place - 1].lower()
        if word in RELATIVE and before not in {"and", "or"}:
            in_relative = True
        elif in_relative and (base_of(word) or word.endswith("ed")):
            in_relative = False
        elif _can_be_verb(words, place, word, before):
            return place
    return _bare_verb_place(words)


def _bare_verb_place(words: list[str]) -> int | None:
    """A base form after an unusual plural ("the larvae feed on nettles"), tried when nothing else
    is found.
    """
    if words[0].lower() not in DETERMINERS:
        return None
    for place in range(2, len(words) - 1):
        before, after = words[place - 1].lower(), words[place + 1].lower()
        follows_noun = before.isalpha() and before not in DETERMINERS | PREPOSITIONS | ADVERBS
        if follows_noun and is_base_verb(words[place]) and after in DETERMINERS | PREPOSITIONS:
            return place
    return None


def _can_be_verb(words: list[str], place: int, word: str, before: str) -> bool:
    if word in BE | HAVE | (MODALS - {"may"}):  # "may" is more often the month or a hedge
        return before not in DETERMINERS - {"this", "that", "these", "those", "all", "both"}
    after = words[place + 1].lower() if place + 1 < len(words) else ""
    if before in DETERMINERS | PREPOSITIONS - {"up", "down", "off"} or before == "and":
        return False
    if word in PARTICIPLES or after in BE:
        return False
    base = base_of(word)
    if base is None:
        return _may_be_unknown_verb(words, place, word)
    # "Lena Parks lives …": a capital inside the sentence is a name, whatever verb it looks like.
    if words[place][0].isupper():
        return False
    if word in MODALS or is_only_base(word):  # "live": only after a plural, "and" or a pronoun
        names_plural = before.endswith("s") and not before.endswith(_NOT_THIRD)
        return names_plural or looks_plural(" ".join(words[:place]))
    return True


def _may_be_unknown_verb(words: list[str], place: int, word: str) -> bool:
    """An unlisted "-s" or "-ed" word right after a name, followed by something English: "Ola yodels
    in …".
    """
    before = words[place - 1]
    if place == len(words) - 1 or not words[place].islower():
        return False
    if before.lower() in DETERMINERS | PREPOSITIONS | ADVERBS or len(word) <= len("ads"):
        return False
    after = words[place + 1].lower()
    if after == "of" or after not in DETERMINERS | PREPOSITIONS:
        return False
    is_third = word.endswith("s") and not word.endswith(_NOT_THIRD)
    # "the opening hours in …": after a lower-case word the "-s" is a plural noun, not a verb
    is_noun = after in {"in", "at", "on"} and is_third and not before[0].isupper() and place > 2
    return (is_third or word.endswith("ed")) and not is_noun
