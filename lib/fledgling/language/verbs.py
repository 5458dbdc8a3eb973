"""Which words are verbs here, and their base and third-person forms.

The list of verbs is our own (``data/language/verbs.txt``), because lemminflect calls every noun a
verb that was ever used as one ("table", "dogs"). The forms are lemminflect's: its tables know
"stopped" and "wrote", which endings alone do not give.
"""

from __future__ import annotations

from functools import lru_cache

from lemminflect import getInflection, getLemma

from fledgling.core.paths import DATA
from fledgling.language.lexicon import BE, HAVE, MODALS

_FINITE = ("VBZ", "VBD", "VBN")  # Penn Treebank tags: "writes", "wrote", "written"


@lru_cache(maxsize=1)
def _bases_and_forms() -> tuple[frozenset[str], dict[str, str]]:
    """The listed base forms, and every finite form of theirs → its base. 0.2 s, once."""
    lines = (DATA / "language" / "verbs.txt").read_text(encoding="utf-8").splitlines()
    listed = " ".join(line for line in lines if not line.startswith("#"))
    bases = listed.split()
    forms: dict[str, str] = {}
    for base in bases:
        for tag in _FINITE:
            for form in getInflection(base, tag):
                if form != base or tag == "VBD":  # "put" is its own past; "come" only a participle
                    forms.setdefault(form, base)
    del forms["let"]  # "let me see" is an order far more often than a past
    return frozenset(bases), forms


def is_base_verb(word: str) -> bool:
    """Whether ``word`` is a verb's base form ("live")."""
    return word.lower() in _bases_and_forms()[0]


def is_only_base(word: str) -> bool:
    """Whether ``word`` can be nothing but a base form: "live", not "found" (found, or find) or
    "put" (its own past).
    """
    bases, forms = _bases_and_forms()
    return word in bases and word not in forms


def base_of(word: str) -> str | None:
    """The base form of a finite verb form, or None when ``word`` is none.

    >>> [base_of(word) for word in ("lives", "stopped", "wrote", "is", "table")]
    ['live', 'stop', 'write', 'be', None]
    """
    word = word.lower()
    if word in BE:
        return "be"
    if word in HAVE:
        return "have"
    bases, forms = _bases_and_forms()
    return word if word in MODALS or word in bases else forms.get(word)


def guessed_base(word: str) -> str:
    """The base form of a verb that is not listed: "yodels" → "yodel", "driving" → "drive"."""
    return getLemma(word.lower(), "VERB")[0]


def third_person(base: str) -> str:
    """ "live" → "lives", "study" → "studies", "teach" → "teaches"."""
    return getInflection(base, "VBZ")[0]


def conjugated(base: str, like: str) -> str:
    """``base`` in the form of the auxiliary: "eat" like "does" → "eats", like "did" → "ate"."""
    tag = {"does": "VBZ", "did": "VBD"}.get(like.lower(), "VB")
    return getInflection(base, tag)[0]
