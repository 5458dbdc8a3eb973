"""Who and what the pronouns of a turn mean: "she" is the woman spoken of last, "it" the thing.

By rule: what a statement is about and what it introduces are kept, newest first, each with the
pronouns that can mean it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fledgling.language.grammar import Clause, looks_plural
from fledgling.language.lexicon import (
    ADVERBS,
    ANIMALS,
    BE,
    DETERMINERS,
    HAVE,
    MEN,
    MODALS,
    NUMBERS,
    PARTICIPLES,
    PEOPLE,
    PREPOSITIONS,
    RELATIVE,
    WOMEN,
    words,
)
from fledgling.language.questions import inner, whose
from fledgling.language.statements import ENDS, clause_of, is_number
from fledgling.language.verbs import base_of

_AT_START = re.compile(
    r"^(?P<pronoun>he|she|it|they|his|her|its|their)(?:'(?P<short>s|re|ve|d|ll))?\b\s*",
    re.IGNORECASE,
)
# Inside a statement. "her" before a noun owns it, and only "my boss likes her dog" is doubtful.
_INSIDE = re.compile(r"(?<=\s)(?P<pronoun>him|her|them|it|their)(?=\s|[,.!;]|$)", re.IGNORECASE)
_OWNERS = words("his her its their")
_VERB_OF_SHORT = {"re": "are", "ve": "have", "d": "had", "ll": "will"}
_HAS_NEXT = re.compile(r"^(?:got|been|had)\b", re.IGNORECASE)
_MEANT_BY = {
    "he": words("he person animal any"),
    "she": words("she person animal any"),
    "it": words("it animal any"),
    "they": words("they"),
}
_NEVER = {
    "he": words("she they"),
    "she": words("he they"),
    "it": words("he she they"),
    "they": words("he she person animal"),
}
_SAME = {"his": "he", "him": "he", "her": "she", "its": "it", "their": "they", "them": "they"}
_BACK = words("it them him her that this so myself there")
_THERE = re.compile(r"\s+there(?=\W*$)", re.IGNORECASE)
_PLACE = re.compile(
    r"\b((?:in|at|on)\s+(?!(?i:january|february|march|april|may|june|july|august|september|october"
    r"|november|december|\w+days?)\b)(?:(?:the|a|an)\s+[\w-]+|[A-Z][\w'-]*(?:\s[A-Z][\w'-]*)?))"
)
_OF_NOBODY = words("i we you he she they it this that there one who what nobody everybody everyone")
_WEATHER = re.compile(r"^\W*(?:is|was|'s)?\s*(?:rain|snow|cold|hot|warm|dark|late|early)", re.I)
_GETS = words("have own adopt get buy keep find build sell")
_WITH = words("with married met know meet marry knows is")
_ENDS_NOUN = (
    PREPOSITIONS | ADVERBS | RELATIVE | BE | HAVE | MODALS | PARTICIPLES | DETERMINERS | NUMBERS
) | words("and or but so because last next when while than as too not ago today tomorrow yesterday")
_LONGEST_NOUN = 4  # words: "second hand sewing machine"
_BOTH = ("er", "or", "ist", "ian", "ant")  # "lodger", "printer": a person or a thing
_SAID = re.compile(r"(?:\b(?:[Mm]y|[Oo]ur)\s+[a-z][\w-]*(?:\s+[A-Z]\w+)?|(?<=know )[A-Z]\w+)")
_NAMED = re.compile(r"^(?:called|named)\s+(?P<name>[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)?)")
_NAME = re.compile(r"^(?:Mr|Mrs|Ms|Dr)?\.?\s?[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)?$")


@dataclass(frozen=True)
class Mention:
    """Somebody or something spoken of: in words that stand for them later, the ``kind`` of pronoun
    that may mean them, and how they are called where it is known whose they are.
    """

    text: str
    kind: str
    short: str = ""


class Mentions:
    """What a turn has spoken of so far."""

    def __init__(self) -> None:
        self._spoken: list[list[Mention]] = []  # by statement, the oldest first
        self.place = ""  # what "there" means

    def note(self, statement: str) -> None:
        """Remember what ``statement`` speaks of."""
        found = mentions_of(statement)
        places = _PLACE.findall(statement)
        self.place = places[-1] if places else self.place
        if found:
            self._spoken.append(found)

    def named(self, text: str) -> str:
        """ "She lives there" with whoever was spoken of for "she", and for "him" in "I met him"."""
        text = self._inside(self._at_start(text))
        return _THERE.sub(rf" {self.place}", text) if self.place else text

    def meant_by(self, pronoun: str, besides: str = "") -> Mention | None:
        """What ``pronoun`` means, the newest first, or None where nothing fits."""
        kinds = _MEANT_BY[_SAME.get(pronoun, pronoun)]
        for statement in reversed(self._spoken):
            for mention in statement:
                if mention.kind in kinds and mention.text.lower() != besides.lower():
                    return mention
        return None

    def _at_start(self, text: str) -> str:
        match = _AT_START.match(text)
        if match is None or not self._spoken:
            return text
        pronoun, rest = match["pronoun"].lower(), text[match.end() :]
        if pronoun == "it" and _WEATHER.match(rest):
            return text
        meant = self.meant_by(pronoun) or self._spoken[-1][0]
        if meant.kind in _NEVER[_SAME.get(pronoun, pronoun)]:
            return text  # better nobody than "my brother's name is Petra"
        if pronoun in _OWNERS:
            return f"{whose(meant.text)} {rest}"
        short = match["short"]
        if short == "s":
            return f"{meant.text} {'has' if _HAS_NEXT.match(rest) else 'is'} {rest}"
        return f"{meant.text} {_VERB_OF_SHORT[short] + ' ' if short else ''}{rest}"

    def _inside(self, text: str) -> str:
        clause = clause_of(text) if self._spoken and _INSIDE.search(text) else None
        if clause is None or clause.subject.lower() in _OF_NOBODY - {"i", "we"}:
            return text
        match = _INSIDE.search(text)
        pronoun = match["pronoun"].lower()
        following = text[match.end() :].split()
        owns = pronoun == "their" or (pronoun == "her" and _goes_on(following))
        meant = self.meant_by(pronoun, besides=clause.subject)
        is_mine = clause.subject.lower() in {"i", "we"}
        is_subject = any(base_of(word) for word in following[:2])  # "so it always rains"
        if meant is None or is_subject or (owns and not is_mine):
            return text
        said = inner(meant.text if is_mine else meant.short or meant.text)
        return f"{text[: match.start()]}{whose(said) if owns else said}{text[match.end() :]}"


def points_back(text: str, before: str) -> bool:
    """Whether ``text`` ends in a word that means something in the statement ``before``, and cannot
    be understood without it.
    """
    last = text.rstrip(f"{ENDS},").rpartition(" ")[2].lower()
    if last not in _BACK or re.search(rf"\b{last}\b", before):
        return False
    mentions = Mentions()
    mentions.note(before)
    if last == "there":
        return not mentions.place
    return last not in _SAME.keys() | {"it"} or mentions.meant_by(last) is None


def mentions_of(statement: str) -> list[Mention]:
    """Whom and what a statement speaks of: its subject, whose that is, then what is newest."""
    clause = clause_of(statement)
    if clause is None:  # "You know my friend Iris?"
        return [Mention(said, kind_of(said)) for said in _SAID.findall(statement)][::-1]
    found = []
    joined = re.search(r", (?P<name>[A-Z][\w'-]*)$", clause.rest)
    if joined is not None and clause.subject.lower() == "there":  # "there's a new guy, Otis"
        return [Mention(joined["name"], "person")]
    subject = re.sub(r"'s\s+(?:\w+\s+)?name$", "", clause.subject)
    if subject.split()[0].lower() not in _OF_NOBODY | _OWNERS and subject.lower() != "my name":
        found.append(Mention(_with_name(subject, clause), kind_of(subject)))
        owner = re.match(r"^(?:my|our)\s+[\w -]+(?='s\s)|^[A-Z]\w+(?='s\s)", subject)
        if owner is not None:
            found.append(Mention(owner.group(), kind_of(owner.group())))
    return found + _introduced(clause)


def kind_of(phrase: str) -> str:
    """The kind of pronoun for a noun phrase: "my sister" is a "she", "the boat" an "it".

    >>> kind_of("my sister Ana"), kind_of("our new boat"), kind_of("Ana"), kind_of("my parents")
    ('she', 'it', 'person', 'they')
    """
    spoken = re.split(r"\s+(?:of|in|at|on|from|with|for|called|named)\s+|,|\(", phrase)[0].split()
    nouns = [word.lower() for word in spoken if not word[0].isupper() or word == spoken[0]]
    head = nouns[-1] if nouns else ""
    if looks_plural(phrase):
        return "they"
    for kind, listed in (("she", WOMEN), ("he", MEN), ("person", PEOPLE), ("animal", ANIMALS)):
        if head in listed:
            return kind
    if spoken and spoken[0][0].isupper() and spoken[0].lower() not in DETERMINERS:
        return "person" if not phrase.split()[0].endswith("'s") else "it"
    return "any" if head.endswith(_BOTH) else "it"


def _with_name(subject: str, clause: Clause) -> str:
    """ "my boss" of "my boss is called Vera" as "my boss Vera"."""
    told = _NAMED.match(clause.rest)
    name = told["name"] if told else clause.rest
    if not clause.is_be or clause.negation or not subject.lower().startswith(("my ", "our ")):
        return subject
    is_person = told is not None or kind_of(subject) in {"she", "he", "person", "animal"}
    return f"{subject} {name}" if is_person and _NAME.match(name) else subject


def _introduced(clause: Clause) -> list[Mention]:
    """What the rest of a clause names: "a horse called Nutmeg", "my husband", "with Ana"."""
    spoken = clause.rest.replace(",", " ,").split()
    found = []
    for place, word in enumerate(spoken):
        if word.lower() in RELATIVE:  # "a house which my grandfather built" speaks of the house
            break
        before = spoken[place - 1] if place else clause.verb
        if word.lower() in {"a", "an", "one", "the", "my", "our", "new"}:
            mention = _thing(clause, spoken, place)
            found += [mention] if mention is not None else []
        elif word[0].isupper() and before.lower() in _WITH and _NAME.match(word):
            found.append(Mention(word, "person"))
    names_it = not clause.is_be and clause.subject.lower() not in {"i", "we"}
    if not found and names_it and len(spoken) == 1 and spoken[0].islower():
        found.append(Mention(spoken[0], "it"))
    # Last said, first meant; of "a horse called Nutmeg" the name says no more than both.
    return found[::-1]


def _thing(clause: Clause, spoken: list[str], place: int) -> Mention | None:
    """The noun phrase that begins at ``place``, as it is spoken of later."""
    introduces = not clause.is_be or clause.subject.lower() == "there"
    if not introduces and spoken[place].lower() not in {"my", "our"}:  # "I am a nurse"
        return None
    end = place + 1
    while end < len(spoken) and end - place <= _LONGEST_NOUN and _is_in_noun(spoken[end]):
        end += 1
    noun = " ".join(spoken[place + 1 : end])
    if not noun:
        return None
    name = _NAMED.match(" ".join(spoken[end:]))
    called = f"{noun} {name['name']}" if name is not None else noun
    determiner = spoken[place].lower()
    if determiner in {"a", "an", "one"} and clause.base in _GETS and clause.subject.lower() != "i":
        owner = "our" if clause.subject.lower() == "we" else whose(clause.subject)
    elif determiner in {"a", "an", "one"} and clause.base in _GETS:
        owner = "my"
    else:
        owner = determiner if determiner in {"my", "our"} else "the"
    if name is not None and owner == "the":
        return Mention(name["name"], kind_of(f"the {noun}"))
    who = clause.subject.lower()
    # "he is my boss": no woman, whatever a boss can be
    kind = who if clause.is_be and who in {"he", "she"} else kind_of(f"the {noun}")
    return Mention(f"{owner} {called}", kind, f"the {called}")


def _is_in_noun(word: str) -> bool:
    return word.lower() not in _ENDS_NOUN and (word[0].isalnum())


def _goes_on(following: list[str]) -> bool:
    """Whether a noun follows, which "her" then owns."""
    return bool(following) and (is_number(following[0]) or _is_in_noun(following[0]))
