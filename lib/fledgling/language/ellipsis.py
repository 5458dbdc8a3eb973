"""What a part of a sentence leaves out because the statement before it says it: "Tom is 5 and Ana
7", "my brother moved to Graz, my sister to Linz", "I paint and sing in a choir".

``completed`` tries each way in which a part can lean on the statement before, the sure ones first.
"""

from __future__ import annotations

import re

from fledgling.language.grammar import Clause, looks_plural, split_clause, without_not
from fledgling.language.lexicon import (
    ADVERBS,
    BE,
    DETERMINERS,
    HAVE,
    MEN,
    MODALS,
    PARTICIPLES,
    PEOPLE,
    PREPOSITIONS,
    WOMEN,
    words,
)
from fledgling.language.questions import be_of
from fledgling.language.referents import kind_of
from fledgling.language.statements import AGE, ENDS, is_number, opens_noun_phrase
from fledgling.language.verbs import base_of, third_person

_COMPLEMENT = re.compile(
    r"^(?:(?:originally\s+)?from|an?|my|our|born|based|called|named|married|single|divorced|widowed"
    r"|engaged|retired|vegan|vegetarian|diabetic|coeliac|pregnant|deaf|blind|left-handed|also\s+an?"
    r"|(?:living|working|studying|training|learning|teaching)\s+\w+)\b(?!.*\bof\s+(?:us|them)\b)",
    re.IGNORECASE,
)
_PLACE_NOUN = re.compile(r"\b(?:city|town|village|place|island|country|suburb|part|state)\b", re.I)
_TIME = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july"
    r"|august|september|october|november|december|spring|summer|autumn|winter|weekends?|nights?"
    r"|mornings?|evenings?|noon|midnight|[12]\d{3}|\d{1,2}(?:st|nd|rd|th)|at\s+\d.*)\b",
    re.IGNORECASE,
)
_SIDES = words("left number set cut")  # verbs or, more often without an article, something else
_POINTERS = words("this that these those i we he she it they")
_HEDGES = words("about almost nearly only just mostly roughly")
_KIN = WOMEN | MEN | PEOPLE
_MINE = {"mine": "my", "yours": "your", "ours": "our", "hers": "her"}
_AUXILIARIES = BE | HAVE | MODALS | words("do does did")
_OWNS = words("have own keep get buy adopt know")
_LONGEST_SUBJECT = 4  # words: "the other little one"
_LONGEST_UNIT = 2  # words: "years old"
_HEAVY = re.compile(
    r"^(?:an?|one|two|three)\s+(?:[\w-]+\s+){1,3}?"
    r"(?P<kind>called|named|who|that|with|in|at|on|near|from|by)\s+\S",
    re.IGNORECASE,
)
_PLACING = words("in at on near from by next")


def completed(clause: Clause, part: str, joint: str) -> str | None:
    """``part``, which follows ``clause`` after ``joint``, as a statement of its own, or None where
    it belongs to that clause.
    """
    subject = "I" if clause.subject.lower() in {"name", "my name"} else clause.subject
    # "drives and repairs lorries": the object is still to come. "He snores, eats socks": it is not.
    if not clause.rest:
        is_apart = "," in joint and len(part.split()) > 1
        return _same_subject(clause, subject, part) if is_apart else None
    return (
        _same_subject(clause, subject, part)
        or _same_predicate(clause, part)
        or _same_subject_and_verb(clause, part)
        or _same_verb(clause, part)
        or _same_owner(clause, part)
        or _same_complement(clause, subject, part, joint)
    )


def said_alike(clause: Clause, part: str) -> str | None:
    """What a part says that reads like a statement, or like none, and leans on ``clause``: "my
    wife's at 9" after "my train leaves at 8" says nothing of where she is.
    """
    spoken = part.rstrip(ENDS).split()
    if clause.rest and spoken[-1:] == ["too"]:
        return _same_predicate(clause, part)
    place = next((n for n, word in enumerate(spoken) if word.endswith("'s")), len(spoken))
    has_one = " " in clause.subject and kind_of(clause.subject) in {"it", "any"}
    if not has_one or place > 1 or place == len(spoken) - 1 or clause.negation:
        return None
    follows = place + 1 < len(spoken) and spoken[place + 1].lower() in PREPOSITIONS
    return _same_verb(clause, part) if follows else None


def _same_subject(clause: Clause, subject: str, part: str) -> str | None:
    """ "and works in Bonn" after "Lena is 30"."""
    spoken = part.rstrip(ENDS).split()
    place = 0
    while place < len(spoken) - 1 and spoken[place].lower() in ADVERBS:
        place += 1
    word = without_not(spoken[place]).lower()
    if place == len(spoken) - 1 or spoken[place][0].isupper() or word in PARTICIPLES:
        return None
    base = base_of(word) or ("do" if word in {"do", "does", "did"} else None)
    # "honeymooned in Japan" is in no list of verbs, but stands as one.
    follows = spoken[place + 1].lower() in PREPOSITIONS | DETERMINERS
    if base is None and not (word.endswith("ed") and clause.past and follows):
        return None
    if word in _SIDES and not follows and spoken[place + 1].islower():  # "left door, no lift"
        return None
    is_plural = looks_plural(subject) or subject.lower() in {"i", "we"}
    is_base = word == base and word not in HAVE | MODALS
    return f"{subject} {part}" if is_plural or not is_base else None


def _same_complement(clause: Clause, subject: str, part: str, joint: str) -> str | None:
    """ "28, from Ghent, a nurse" after "I'm Bea": more of what somebody is."""
    first = clause.rest.split()[0].lower()
    if part.lower().startswith("born ") and kind_of(subject) != "it":
        return f"{subject} {'were' if be_of(subject) == 'are' else 'was'} {part.rstrip(ENDS)}"
    if not clause.is_be or first in PREPOSITIONS - {"from"}:
        return None
    plain = part.rstrip(ENDS)
    be = clause.verb if clause.past else be_of(subject)
    if AGE.match(plain) and AGE.match(clause.rest):  # "the kids are 4 and 9"
        return None
    if first == "from" and _PLACE_NOUN.search(plain):  # "I'm from Ghent, a town in Belgium"
        return None
    # "Lev is 30, my cousin"; not "my favourites are rice and my mum's stew", nor "this is Lev, …"
    owns = plain.lower().startswith(("my ", "our "))
    is_one = be != "are" and subject.lower() not in _POINTERS and kind_of(subject) != "it"
    is_role = is_one and "," in joint
    if AGE.match(plain) or (_COMPLEMENT.match(plain) and (is_role or not owns)):
        return f"{subject} {be} {plain}"
    if plain.lower().startswith("no "):
        return f"{subject} {'have' if subject == 'I' else 'has'} {plain}"
    if AGE.match(clause.rest) and len(plain.split()) == 1 and plain.islower():
        return f"{subject} {be} a {plain}"
    return None


def _same_owner(clause: Clause, part: str) -> str | None:
    """ "weight 77 kilos, shoe size 44" after "My height is 1.82"."""
    owner, _, thing = clause.subject.rpartition(" ")
    spoken = part.rstrip(ENDS).split()
    if not clause.is_be or owner.lower() not in {"my", "our"} or not thing:
        return None
    for place in range(1, min(3, len(spoken))):
        value, told = spoken[place], clause.rest.split()[0]
        is_label = all(word.islower() and word.isalpha() for word in spoken[:place])
        if not is_label or opens_noun_phrase(spoken[0]) or spoken[0] in PREPOSITIONS | ADVERBS:
            return None
        names = value[0].isupper() and told[0].isupper()
        if names or (value[0].isdigit() and told[0].isdigit()):
            return f"{owner} {' '.join(spoken[:place])} is {' '.join(spoken[place:])}"
    return None


def _same_predicate(clause: Clause, part: str) -> str | None:
    """ "but my kids aren't" after "I'm vegetarian", "her brother too" after "Tove is tall"."""
    spoken = part.rstrip(ENDS).split()
    if spoken[-1].lower() == "too" or spoken[-2:] == ["as", "well"]:
        who = spoken[: -2 if spoken[-1] == "well" else -1]
        says_it_all = split_clause(" ".join(who)) is not None
        if not _is_subject(who) or says_it_all or clause.negation:
            return None
        return f"{' '.join(who)} {_verb_for(clause, who)} {clause.rest}, too"
    denies = spoken[-1].lower() == "not"
    if len(spoken) < 2 + denies:
        return None
    verb, who = spoken[-1 - denies], spoken[: -1 - denies]
    plain = without_not(verb).lower()
    if plain not in _AUXILIARIES or not _is_subject(who):
        return None
    rest = clause.rest
    # "my sister's a vet, the whole family is" does not say that a family is a vet.
    if verb.lower() == plain and not denies and rest.split()[0].lower() in DETERMINERS:
        return None
    if plain in {"do", "does", "did"} or (plain in MODALS and not clause.is_modal):
        rest = f"{clause.base} {rest}"
    elif (plain in BE) != clause.is_be:
        return None
    return f"{' '.join(spoken)} {rest}"


def _same_verb(clause: Clause, part: str) -> str | None:
    """ "and Ana 7" after "Tom is 5": another subject, the same verb, and an object that begins
    alike.
    """
    if clause.negation:  # "I don't eat meat and Ana fish" would say what nobody said
        return None
    spoken = part.rstrip(ENDS).split()
    for place in range(1, min(_LONGEST_SUBJECT, len(spoken) - 1) + 1):
        who, left = spoken[:place], spoken[place:]
        if not _is_subject(who):
            continue
        said = _alike(clause, who, left)
        if said is not None:
            subject = _whole_subject(clause, who)
            return f"{subject} {_verb_for(clause, subject.split())} {said}"
    return None


def _alike(clause: Clause, who: list[str], left: list[str]) -> str | None:
    """What ``who`` does, in the words of the clause with ``left`` for what is alike there."""
    told = clause.rest.split()
    hedges = next((n for n, word in enumerate(left) if word.lower() not in _HEDGES), len(left))
    if hedges == len(left):
        return None
    first = left[hedges].lower()
    for place, word in enumerate(told):
        word = word.lower()
        if is_number(first) and is_number(word):
            unit = told[place + 1 :][:_LONGEST_UNIT] if len(left) == hedges + 1 else []
            return " ".join([*told[:place], *left, *unit])
        same = word == first or (place == 0 and {word, first} <= _PLACING)
        if first in PREPOSITIONS and same:
            return _with_place(told, place, who, left)
        if place == 0 and first in DETERMINERS and word in DETERMINERS:
            return " ".join(left) if len(left) > 1 else None
    # "my mother only coffee" after "my husband drinks tea": one word for one word.
    is_name = len(who) == 1 and who[0][0].isupper()
    if len(told) == 1 == len(left) - hedges and not is_name and told[0][0].isalpha():
        like = told[0][0].isupper() == left[-1][0].isupper() and first.isalpha()
        return " ".join(left) if like and not clause.is_be else None
    return None


def _with_place(told: list[str], place: int, who: list[str], left: list[str]) -> str | None:
    """Time stands for time and place for place; and in "I go to Lund in May and Malmö in June"
    Malmö is no subject.
    """
    if bool(_TIME.search(" ".join(left))) != bool(_TIME.search(" ".join(told[place:]))):
        return None
    is_name = who[0][0].isupper() and who[0] != "I" and not who[0].endswith("'s")
    if is_name and any(word[0].isupper() for word in told[:place]):
        return None
    return " ".join([*told[:place], *left])


def _same_subject_and_verb(clause: Clause, part: str) -> str | None:
    """ "and a cat named Mia" after "we have a dog named Rex": another thing with a name or place of
    its own.
    """
    if clause.base not in _OWNS or clause.negation:
        return None
    start = 1 if clause.rest.lower().startswith("got ") else 0
    told = clause.rest.split(" ", start)
    first, second = _HEAVY.match(told[-1]), _HEAVY.match(part)
    if first is None or second is None:
        return None
    kinds = {first["kind"].lower(), second["kind"].lower()}
    if len(kinds) > 1 and not kinds <= _PLACING:
        return None
    return " ".join([clause.subject, clause.verb, *told[:start], part])


def _is_subject(who: list[str]) -> bool:
    """Whether the words can be somebody or something by themselves: "Ana", "my sister", "dad"."""
    if not who:
        return False
    first, last = who[0].lower(), who[-1].lower()
    if len(who) == 1:
        return first in _KIN | _MINE.keys() | {"i"} or (
            who[0][0].isupper() and not is_number(who[0][-1])
        )
    inside = PREPOSITIONS | DETERMINERS | BE | HAVE | words("and or i")
    return opens_noun_phrase(who[0]) and last not in inside and not is_number(last)


def _whole_subject(clause: Clause, who: list[str]) -> str:
    """ "my wife's" after "my train" as "my wife's train", and "mine" as "my train"."""
    thing = clause.subject.rpartition(" ")[2]
    if len(who) == 1 and who[0].lower() in _MINE:
        return f"{_MINE[who[0].lower()]} {thing}"
    owns = who[-1].endswith("'s") and thing != clause.subject
    if who == ["the", "other"] and clause.subject.lower().startswith("one "):
        noun = clause.subject.split()[1]
        return f"the other {noun}" if noun != "of" else "the other"
    return f"{' '.join(who)} {thing}" if owns else " ".join(who)


def _verb_for(clause: Clause, who: list[str]) -> str:
    """The clause's verb as it agrees with another subject."""
    subject = " ".join(who)
    if clause.is_be and not clause.past:
        return be_of(subject)
    if clause.past or clause.is_modal:
        return clause.verb
    is_plural = looks_plural(subject) or subject.lower() in {"i", "we"}
    return clause.base if is_plural else third_person(clause.base)
