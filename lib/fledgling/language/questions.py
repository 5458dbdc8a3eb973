"""Questions by rule: what a plain statement answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fledgling.language.grammar import Clause, looks_plural
from fledgling.language.lexicon import ADVERBS, DETERMINERS, PREPOSITIONS, words
from fledgling.language.verbs import base_of, third_person

# Prepositions that answer "where"; all others are asked for with "what … to?".
_PLACE = words("""
    in at on near behind under beside between opposite above below inside outside by across beyond
    over within around along next
""")
_MOTION = words("""
    move go travel fly drive relocate migrate emigrate run walk sail commute return come
""")
# The same prepositions answer "when" before these words: "in March", "at six".
_TIME = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:january|february|march|april|may|june"
    r"|july|august|september|october|november|december)\b|\b\d{1,2}:\d{2}\b|\b(?:1[0-9]|20)\d{2}\b"
    r"|\b\d{1,2}\s?(?:am|pm)\b|\b\d+(?:st|nd|rd|th)\b|\b(?:noon|midnight|morning|evening|afternoon"
    r"|night|week|month|year|spring|summer|autumn|winter|o'clock|today|tomorrow|yesterday|ago"
    r"|weekend)s?\b|\bat\s+(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b",
    re.IGNORECASE,
)
# Roles that are asked for with "who".
_PEOPLE = words("""
    friend sister brother mother father mum mom dad wife husband partner son daughter cousin uncle
    aunt boss teacher doctor dentist neighbour neighbor colleague landlord landlady grandmother
    grandfather grandma grandpa niece nephew coach captain author singer manager goalkeeper
    director physiotherapist therapist girlfriend boyfriend twin flatmate roommate tutor mentor
    tenant plumber vet
""")
_OBJECT_IS_PERSON = words("love marry meet know like admire")  # before a name: who, not what
_AGE = re.compile(
    r"^(?:\S+\s+){1,3}(?:years?|months?|weeks?)\s+old\b|^\S+\s+years?\s+of\s+age", re.IGNORECASE
)


@dataclass(frozen=True)
class Question:
    """A question word, the rest in question order ("does Lena live") and in statement order ("Lena
    lives").
    """

    word: str
    inverted: str
    plain: str

    @property
    def direct(self) -> str:
        """ "Where does Lena live?" """
        return tidy(f"{self.word} {self.inverted}?")

    @property
    def indirect(self) -> str:
        """ "where Lena lives", to follow "Do you know" or "Tell me"."""
        text = tidy(f"{self.word} {self.plain}")
        return text[0].lower() + text[1:]


@dataclass(frozen=True)
class Frame:
    """A clause's subject and verb in question order and in statement order, for other words to
    follow: "does Lena live", "Lena lives".
    """

    inverted: str
    plain: str

    def ask(self, word: str, *rest: str) -> Question:
        tail = " ".join(rest)
        return Question(word, f"{self.inverted} {tail}", f"{self.plain} {tail}")


def inner(subject: str) -> str:
    """A subject as it stands inside a sentence: "My sister" → "my sister"; names and "I" stay."""
    first = subject.split(" ", 1)[0]
    is_lowered = first.lower() in DETERMINERS or first == "We"
    return subject[0].lower() + subject[1:] if is_lowered else subject


def whose(subject: str) -> str:
    """The possessive: "I" → "my", "Lena" → "Lena's", "my parents" → "my parents'"."""
    subject = inner(subject)
    if subject in {"I", "we"}:
        return {"I": "my", "we": "our"}[subject]
    return f"{subject}'" if looks_plural(subject) and subject.endswith("s") else f"{subject}'s"


def be_of(subject: str) -> str:
    """The present form of "be" for a subject."""
    if subject == "I":
        return "am"
    return "are" if looks_plural(subject) else "is"


def do_of(subject: str) -> str:
    """ "do" or "does" for a subject."""
    return "do" if subject == "I" or looks_plural(subject) else "does"


def yes_no(clause: Clause, subject: str | None = None) -> str:
    """Whether it is so, with another ``subject`` where given. A clause that denies is asked about
    without its "not", so that the answer is no.

    >>> from fledgling.language.grammar import split_clause
    >>> yes_no(split_clause("Lena lives in Oslo"), "my brother")
    'Does my brother live in Oslo?'
    >>> yes_no(split_clause("I don't eat meat"))
    'Do I eat meat?'
    """
    who = inner(subject or clause.subject)
    verb = "" if _takes_no_do(clause) else clause.base
    text = tidy(f"{_auxiliary(clause, who)} {who} {clause.adverbs} {verb} {clause.rest}?")
    return text[0].upper() + text[1:]


def wh_questions(clause: Clause, subject: str | None = None) -> list[Question]:
    """What the statement answers, likeliest first."""
    who = inner(subject or clause.subject)
    frame = _frame(clause, who)
    if clause.is_be:
        return _about_be(clause, who, frame)
    if _takes_no_do(clause):
        return [frame.ask("What", clause.rest.split()[0])] if clause.rest else []
    return _about_verb(clause, frame)


def subject_frames(clause: Clause) -> list[str]:
    """Prompts that ask for the subject, in imperative frames rather than as plain questions."""
    if inner(clause.subject) in {"I", "we"}:
        return []
    auxiliary = _auxiliary(clause, inner(clause.subject))
    no_do = _takes_no_do(clause)
    verb = f"{auxiliary} {clause.negation}" if no_do else _finite(clause, auxiliary)
    predicate = tidy(f"{clause.adverbs} {verb} {clause.rest}")
    pronoun = "who" if is_person(clause.subject) else "what"
    return [f"Name {pronoun} {predicate}.", f"Of everything I told you, {pronoun} {predicate}?"]


def is_person(subject: str) -> bool:
    """Whether a subject looks like a person: a name without article, or a word for a role or
    relative.
    """
    spoken = re.sub(r"'s?\b", "", subject).split()
    if not spoken:
        return False
    lower = [word.lower() for word in spoken]
    if lower[0] in {"my", "our", "the", "a", "an"} or "'s" in subject:
        # "my friend Malik" ends in a name, "my friend's bike" in no person
        names_role = any(word in _PEOPLE for word in lower[:-1])
        return lower[-1] in _PEOPLE or (names_role and spoken[-1][0].isupper())
    return spoken[0][0].isupper()


def _frame(clause: Clause, who: str) -> Frame:
    auxiliary, negation = _auxiliary(clause, who), clause.negation
    if _takes_no_do(clause):
        return Frame(f"{auxiliary} {who} {negation}", f"{who} {auxiliary} {negation}")
    return Frame(
        f"{auxiliary} {who} {negation} {clause.base}", f"{who} {_finite(clause, auxiliary)}"
    )


def _finite(clause: Clause, auxiliary: str) -> str:
    """The verb as it follows its subject: "lives", "never lived", "does not live"."""
    if clause.negation == "not":
        return f"{auxiliary} not {clause.base}"
    if auxiliary == "does":
        return f"{clause.negation} {third_person(clause.base)}"
    return f"{clause.negation} {clause.verb.lower() if clause.past else clause.base}"


def _about_be(clause: Clause, who: str, frame: Frame) -> list[Question]:
    spoken = clause.rest.split()
    lower = [word.lower() for word in spoken]
    if _AGE.match(clause.rest):
        return [frame.ask("How old")]
    if lower[:1] and lower[0] in PREPOSITIONS:
        if lower[0] in _PLACE:
            return [frame.ask(_when_or_where(clause.rest))]
        return [frame.ask("What", lower[0])]
    # "What is she called?", not "Who is she?": the name is the answer.
    if lower[:1] and lower[0] in {"called", "named"}:
        return [frame.ask("What", lower[0])]
    found = []
    # "married to Stefan", "allergic to nuts": an adjective and what it holds of
    place = next((at for at in (1, 2) if lower[at : at + 1] and lower[at] in PREPOSITIONS), None)
    if place is not None and lower[0] not in DETERMINERS and not spoken[0][0].isupper():
        head, tail = " ".join(spoken[:place]), " ".join(spoken[place + 1 :])
        if lower[place] in _PLACE - {"next"}:
            found.append(frame.ask(_when_or_where(" ".join(spoken[place:])), head))
        else:
            is_name = tail[:1].isupper() and lower[place] in {"to", "with", "by"}
            found.append(frame.ask("Who" if is_name else "What", head, lower[place]))
    if not clause.negation:  # nobody asks "Who is Bruno not?"
        found.append(frame.ask("Who" if is_person(who) or who == "I" else "What"))
    return found


def _about_verb(clause: Clause, frame: Frame) -> list[Question]:
    spoken = clause.rest.split()
    lower = [word.lower().strip(",") for word in spoken]
    place = next((at for at, word in enumerate(lower) if word in PREPOSITIONS), None)
    thing = " ".join(spoken[:place]).strip(" ,")
    found = []
    if thing and thing.lower() not in ADVERBS:
        names_person = thing[:1].isupper() and clause.base in _OBJECT_IS_PERSON
        found.append(frame.ask("Who" if names_person else "What"))
    if place is None:
        return found
    preposition, tail = spoken[place].lower(), " ".join(spoken[place + 1 :])
    word = _when_or_where(f"{preposition} {tail}")
    # "Where did Lena move to?" keeps its preposition, "Where does Lena live?" does not.
    moves = preposition in {"to", "into", "from", "onto"} and clause.base in _MOTION
    if moves and word == "Where":
        found.append(frame.ask("Where", thing, preposition))
    elif preposition in _PLACE - {"next"} or word == "When":
        found.append(frame.ask(word, thing))
    else:
        names_person = preposition == "with" and tail[:1].isupper()
        found.append(frame.ask("Who" if names_person else "What", thing, preposition))
    return found


def _when_or_where(phrase: str) -> str:
    return "When" if _TIME.search(phrase) else "Where"


def _takes_no_do(clause: Clause) -> bool:
    """Whether the verb itself goes before the subject in a question: "be", a modal, or "have"
    before a participle ("has moved").
    """
    if clause.is_be or clause.is_modal:
        return True
    word = clause.rest.split(" ", 1)[0].lower()
    base = base_of(word)
    is_participle = base is not None and word != base and not word.endswith("s")
    return clause.base == "have" and (word in {"got", "been"} or is_participle)


def _auxiliary(clause: Clause, who: str) -> str:
    is_same = who == inner(clause.subject)
    if clause.is_be and clause.past:
        return "were" if who != "I" and looks_plural(who) else "was"
    if clause.is_be and not is_same:
        return be_of(who)
    # "have lived" must agree with the new subject: "Has Lena lived".
    if clause.base == "have" and clause.verb != "had" and not is_same and _takes_no_do(clause):
        return "has" if do_of(who) == "does" else "have"
    if _takes_no_do(clause):
        return clause.verb.lower()
    if clause.past:
        return "did"
    if not is_same:
        return do_of(who)
    return "do" if clause.verb.lower() == clause.base else "does"


def tidy(text: str) -> str:
    """Single spaces, and none before a mark."""
    return re.sub(r"\s+([?.,])", r"\1", re.sub(r"\s+", " ", text)).strip()
