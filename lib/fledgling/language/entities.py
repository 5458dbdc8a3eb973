"""Names, dates, numbers and codes in a sentence: by regular expression, by capitals, or by
spaCy.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from fledgling.core.errors import MissingExtra, ModelError
from fledgling.language.lexicon import words
from fledgling.language.settings import LanguageSection

# Words that stand first in a sentence, and so with a capital, far more often than names do.
_NOT_NAMES = words("""
    i i'm i've i'd i'll my our the a an this that these those it he she we they you your his her
    their there in on at to from no yes and but or so if when where who what why how please
    actually remember also now today yesterday tomorrow every each all some any which whose whom
    does do did can could will would has have had for with as by of not is are was were mr mrs ms
    dr
""")
# A title or particle joins the capitals on both sides: "Dr. Pohl", "Museum of Art".
_CAPITALISED = re.compile(
    r"\b(?:(?:Mr|Mrs|Ms|Dr|Prof|St)\.?\s+)?[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’.-]*\w(?:\s+(?:of|de|van|von|la|del|the)(?=\s+[A-ZÀ-ÞĀ-Ž])|\s+[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]*)*"
)
_VALUES = re.compile(
    r"\b\d{1,2}(?::\d{2})?\s?(?:am|pm|o'clock)\b|\b\d{1,2}:\d{2}\b|\b\d{4}-\d{2}-\d{2}\b|\b[\w.+-]+@[\w-]+\.\w+\b|"
    r"https?://\S+|\b(?:\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?:January|February|March|April|May|June|July|August|"
    r"September|October|November|December)(?:\s+\d{1,4}(?:st|nd|rd|th)?)?\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|"
    r"\b[a-zA-Z]*\d[\w-]*\b",
    re.IGNORECASE,
)


def find_entities(text: str, section: LanguageSection) -> tuple[str, ...]:
    """Entities in order of appearance, each once. Raises ``MissingExtra`` when spaCy is asked for
    and missing.
    """
    # Optional, since spaCy and its model weigh more than everything else in this package.
    if section.entities == "spacy":
        found = [entity.text for entity in _spacy_model(section.spacy_model)(text).ents]
    else:
        found = capitalised(text)
        if section.entities == "regex":
            found += [match.group() for match in _VALUES.finditer(text)]
    return tuple(dict.fromkeys(found))


def capitalised(text: str) -> list[str]:
    """Runs of capitalised words, without a sentence's ordinary first word.

    >>> capitalised("My sister Ana works at the Halden Museum of Art.")
    ['Ana', 'Halden Museum of Art']
    """
    names = []
    for match in _CAPITALISED.finditer(text):
        words = match.group().replace("’", "'").split()
        # "Mr" opens a name, the others of the list only a sentence.
        while words and words[0].lower() in _NOT_NAMES - {"mr", "mrs", "ms", "dr"}:
            words = words[1:]
        name = " ".join(words).removesuffix("'s").rstrip(".")
        # A single capital is an initial or the pronoun "I".
        if len(name) > 1:
            names.append(name)
    return names


@lru_cache(maxsize=2)
def _spacy_model(name: str) -> Any:
    try:
        import spacy
    except ImportError as error:
        raise MissingExtra(
            "spacy", "pip install 'fledgling[spacy]'", "detection.entities = spacy"
        ) from error
    try:
        # Only the entity recogniser is needed; the rest doubles the time.
        return spacy.load(name, disable=["lemmatizer", "textcat"])
    except OSError as error:
        raise ModelError(
            f"the spaCy model {name!r} is not installed; install it with: python -m spacy download "
            f"{name}, or set detection.entities to regex or capitalised"
        ) from error
