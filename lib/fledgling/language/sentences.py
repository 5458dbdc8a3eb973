"""Tidying what people type before it is read: sentences apart, contractions written out, missing
apostrophes.
"""

from __future__ import annotations

import re

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
_MISSING = {
    "im": "I'm",
    "ive": "I've",
    "dont": "don't",
    "doesnt": "doesn't",
    "isnt": "isn't",
    "arent": "aren't",
    "wasnt": "wasn't",
    "didnt": "didn't",
    "cant": "can't",
    "wont": "won't",
    "havent": "haven't",
    "hasnt": "hasn't",
    "werent": "weren't",
    "wouldnt": "wouldn't",
    "couldnt": "couldn't",
    "thats": "that's",
    "whats": "what's",
    "hes": "he's",
    "shes": "she's",
    "theyre": "they're",
    "youre": "you're",
    "weve": "we've",
    "theres": "there's",
    "whos": "who's",
    "wheres": "where's",
    "lets": "let's",
    "u": "you",
    "ur": "your",
}
_LONG = {
    "i'm": "I am",
    "i've": "I have",
    "we're": "we are",
    "we've": "we have",
    "they're": "they are",
    "he's": "he is",
    "she's": "she is",
    "it's": "it is",
    "that's": "that is",
    "there's": "there is",
    "who's": "who is",
    "i'll": "I will",
    "i'd": "I would",
    "we'll": "we will",
}
_AFTER_IS = (
    r"(?=\s+(?:my|our|a|an|the|in|on|at|from|called|named|not|allergic|married|engaged|based|now|also|still|"
    r"actually|really|just|years?|\w+ing|\w+ed|\d+|no)\b)"
)
_NAME_IS = re.compile(
    rf"\b([A-Z]\w+|(?:my|our)\s+\w+)'s{_AFTER_IS}(?!\s+(?:\w+ing|\w+ed)\s+(?:is|are|was|were)\b)"
)
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
    text = re.sub(r"[A-Za-z']+", lambda match: _mended(match.group()), text)
    return re.sub(r"\bi\b(?!\.)", "I", text)


def expand(text: str) -> str:
    """Write contractions out where that is safe: "I'm" → "I am", "Tom's my friend" → "Tom is my
    friend".

    >>> expand("I've two cats and Tom's my friend")
    'I have two cats and Tom is my friend'
    """
    text = _NAME_IS.sub(r"\1 is", text)
    text = re.sub(
        r"\b(name|surname|number|code|birthday|address)'s\b(?!\s+\w+\s+(?:is|are)\b)",
        r"\1 is",
        text,
    )
    text = _LOWER_NAME_IS.sub(r"\1 is", text)
    return re.sub(r"\b[A-Za-z]+'[a-z]+\b", lambda match: _expanded(match.group()), text)


def _mended(word: str) -> str:
    mended = _MISSING.get(word.lower())
    if mended is None:
        return word
    return mended[0].upper() + mended[1:] if word[0].isupper() else mended


def _expanded(word: str) -> str:
    longer = _LONG.get(word.lower())
    if longer is None:
        return word
    return longer[0].upper() + longer[1:] if word[0].isupper() else longer
