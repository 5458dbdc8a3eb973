"""Tidying what people type before it is read: sentences apart, contractions written out, missing
apostrophes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA

_BOUNDARY = re.compile(r"(?<=[.!?…])[\"'”)]*\s+|\n+")
_SHORT = (
    "Dr.",
    "Mr.",
    "Mrs.",
    "Ms.",
    "St.",
    "Prof.",
    "vs.",
    "e.g.",
    "i.e.",
    "No.",
    "Ave.",
    "Rd.",
    "approx.",
)
# After a name, "'s" is "is" where no possessed thing can follow: "Tom's my friend", "Tom's bike".
_AFTER_IS = (
    r"(?=\s+(?:my|our|a|an|the|in|on|at|from|called|named|not|allergic|married|engaged|based|now"
    r"|also|still|actually|really|just|years?|\w+ing|\w+ed|\d+|no|next|january|february|march"
    r"|april|may|june|july|august|september|october|november|december)\b)"
)
# "Ana's painting is large" and "my uncle's fishing boat is new" are possessive after all: a second
# verb follows.
_NAME_IS = re.compile(
    rf"\b([A-Z]\w+|(?:[Mm]y|[Oo]ur)\s+\w+)'s{_AFTER_IS}"
    r"(?!\s+(?:\w+ing|\w+ed)"
    r"(?:\s+(?!(?:and|but|or|so|as|because|while|when|if|that|what|who|which|i|he|she|it|we|you|they)\b)"
    r"\w+){0,2}\s+(?:is|are|was|were|has|had|costs|lives|starts|ends)\b)"
)
# "He's got a boat", "Mum's been ill": the verb that follows tells "has" from "is".
_HAS = re.compile(
    r"\b(\w+)'s(?=\s+(?:(?:already|always|also|just|never|only)\s+)?(?:got|had|been)\b)"
)
# A name typed in lower case is only trusted at the start, and where no common word is meant.
_LOWER_NAME_IS = re.compile(
    rf"^(?!(?:it|he|she|that|there|what|who|where|how|let|here|this)\b)([a-z]\w+)'s{_AFTER_IS}"
)


def split_sentences(text: str) -> list[str]:
    """Sentences in order, without surrounding white space. Abbreviations such as "Dr." do not end
    one.
    """
    pieces: list[str] = []
    for piece in _BOUNDARY.split(text):
        piece = piece.strip()
        if pieces and pieces[-1].endswith(_SHORT):
            pieces[-1] = f"{pieces[-1]} {piece}"
        elif piece:
            pieces.append(piece)
    return pieces


def mend_apostrophes(text: str) -> str:
    """ "im" → "I'm", "dont" → "don't": what quick typing leaves out. Typographic apostrophes become
    plain ones.
    """
    text = text.replace("’", "'").replace("‘", "'")
    text = re.sub(r"[A-Za-z']+", lambda match: _looked_up("missing", match.group()), text)
    # Not in "i.e."
    return re.sub(r"\bi\b(?!\.)", "I", text)


def expand(text: str) -> str:
    """Write contractions out where that is safe: "I'm" → "I am", "Tom's my friend" → "Tom is my
    friend".

    >>> expand("I've two cats and Tom's my friend")
    'I have two cats and Tom is my friend'
    >>> expand("She's got a boat and Tom's never been on it")
    'She has got a boat and Tom has never been on it'
    """
    text = _NAME_IS.sub(r"\1 is", _HAS.sub(r"\1 has", text))
    text = re.sub(
        r"\b(name|surname|number|code|birthday|address|password|pin|rent)'s\b(?!\s+\w+\s+(?:is|are)\b)",
        r"\1 is",
        text,
    )
    text = _LOWER_NAME_IS.sub(r"\1 is", text)
    return re.sub(r"\b[A-Za-z]+'[a-z]+\b", lambda match: _looked_up("long", match.group()), text)


@lru_cache(maxsize=1)
def _contractions() -> dict[str, dict[str, str]]:
    return read_yaml(DATA / "language" / "contractions.yaml")


def _looked_up(table: str, word: str) -> str:
    """The word's entry in a table of contractions, its capital kept, or the word itself."""
    found = _contractions()[table].get(word.lower(), word)
    return found[0].upper() + found[1:] if word[0].isupper() else found
