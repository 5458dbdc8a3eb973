"""What a text must have to be a statement of its own, and how a clause is said of somebody."""

from __future__ import annotations

import re

from fledgling.language.grammar import Clause, split_clause
from fledgling.language.lexicon import DETERMINERS, NUMBERS, words
from fledgling.language.sentences import expand
from fledgling.language.verbs import is_base_verb

ENDS = ".!… "
AGE = re.compile(
    r"^(?:aged?\s+|(?:about|almost|nearly|only)\s+)?\d{1,3}(?:\s+years?\s+old)?$", re.IGNORECASE
)
_DIGITS = re.compile(r"^\d[\d.,:/]*(?:am|pm|st|nd|rd|th)?$", re.IGNORECASE)
# Said before a statement that follows another, and no part of it.
_AFTER_JOINT = re.compile(
    r"^(?:(?:also|now|then|plus|and|but|so|oh|well|btw|by\s+the\s+way|anyway|yeah|no(?=,))\b[,\s]+)+",
    re.IGNORECASE,
)
_OPENERS = words("""
    i we he she it they my our his her their its the this that your there one nobody everybody
    everyone both mum mom dad grandma grandpa granny nan
""")


def opened(text: str) -> str:
    """``text`` without what only ties it to the statement before it.

    >>> opened("oh and she sings")
    'she sings'
    """
    return _AFTER_JOINT.sub("", text).strip()


def clause_of(text: str) -> Clause | None:
    """The clause of a text as it was typed, contractions and all."""
    return split_clause(expand(text))


def is_statement(text: str) -> bool:
    """Whether ``text`` has a subject and a verb, and could stand alone."""
    clause = clause_of(opened(text))
    if clause is None:
        return False
    says_no_more = clause.is_be or clause.is_modal or clause.base in {"do", "have"}
    if says_no_more and not clause.rest:  # "my father does"
        return False
    subject = clause.subject.split()
    opens = subject[0].lower() in _OPENERS or subject[0][0].isupper()
    # "rent is 500": before "is" a verb's base form is a noun.
    return (opens or len(subject) == 1) and (clause.is_be or not is_base_verb(subject[0]))


def is_number(word: str) -> bool:
    """ "30", "3.5" or "seven"."""
    return _DIGITS.match(word) is not None or word.lower().strip(",.") in NUMBERS


def opens_noun_phrase(word: str) -> bool:
    """Whether a noun phrase begins with ``word``: a determiner, a possessive or a name."""
    return word.lower() in DETERMINERS or word[:1].isupper() or word.endswith("'s")
