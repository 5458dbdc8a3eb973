"""Questions by rule: what a plain statement answers, and how else a given question can be put."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fledgling.language.grammar import Clause, base_of, looks_plural, past_of, third_person
from fledgling.language.lexicon import ADVERBS, BE, DETERMINERS, HAVE, MODALS, PREPOSITIONS, words

_PLACE = words("""
    in at on near behind under beside between opposite above below inside outside by across beyond
    over within around along
""")
_MOTION = words("""
    move go travel fly drive relocate migrate emigrate run walk sail commute return come
""")
_TIME = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:january|february|march|april|may|june|july|august|september|"
    r"october|november|december)\b|\b\d{1,2}:\d{2}\b|\b(?:1[0-9]|20)\d{2}\b|\b\d{1,2}\s?(?:am|pm)\b|\b\d+(?:st|nd|rd|th)\b|"
    r"\b(?:noon|midnight|morning|evening|afternoon|night|week|month|year|spring|summer|autumn|winter|o'clock|today|"
    r"tomorrow|yesterday|ago|weekend)s?\b|\bat\s+(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b",
    re.IGNORECASE,
)
_PEOPLE = words("""
    friend sister brother mother father mum mom dad wife husband partner son daughter cousin uncle
    aunt boss teacher doctor dentist neighbour neighbor colleague landlord landlady grandmother
    grandfather grandma grandpa niece nephew coach captain author singer manager goalkeeper
    director physiotherapist therapist girlfriend boyfriend twin flatmate roommate tutor mentor
    tenant plumber vet
""")
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
        return _tidy(f"{self.word} {self.inverted}?")

    @property
    def indirect(self) -> str:
        """ "where Lena lives", to follow "Do you know" or "Tell me"."""
        text = _tidy(f"{self.word} {self.plain}")
        return text[0].lower() + text[1:]


def inner(subject: str) -> str:
    """A subject as it stands inside a sentence: "My sister" → "my sister"; names and "I" stay."""
    first = subject.split(" ", 1)[0]
    return (
        subject[0].lower() + subject[1:]
        if first.lower() in DETERMINERS or first == "We"
        else subject
    )


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
    """The statement as a yes/no question, with another ``subject`` where given.

    >>> from fledgling.language.grammar import split_clause
    >>> yes_no(split_clause("Lena lives in Oslo"), "my brother")
    'Does my brother live in Oslo?'
    """
    who = inner(subject or clause.subject)
    auxiliary, verb = _inverted(clause, who)
    text = _tidy(f"{auxiliary} {who} {clause.adverbs} {verb} {clause.rest}?")
    return text[0].upper() + text[1:]


def wh_questions(clause: Clause, subject: str | None = None) -> list[Question]:
    """What the statement answers, likeliest first."""
    who = inner(subject or clause.subject)
    if clause.is_be:
        return _about_be(clause, who)
    if clause.is_modal or _is_perfect(clause):
        auxiliary = clause.verb.lower()
        words = clause.rest.split()
        return (
            [Question("What", f"{auxiliary} {who} {words[0]}", f"{who} {auxiliary} {words[0]}")]
            if words
            else []
        )
    return _about_verb(clause, who)


def subject_frames(clause: Clause) -> list[str]:
    """Prompts that ask for the subject, in imperative frames rather than as plain questions."""
    if inner(clause.subject) in {"I", "we"}:
        return []
    predicate = _tidy(f"{clause.adverbs} {clause.verb} {clause.rest}")
    pronoun = "who" if is_person(clause.subject) else "what"
    return [f"Name {pronoun} {predicate}.", f"Of everything I told you, {pronoun} {predicate}?"]


def is_person(subject: str) -> bool:
    """Whether a subject looks like a person: a name without article, or a word for a role or
    relative.
    """
    words = re.sub(r"'s?\b", "", subject).split()
    if not words:
        return False
    lower = [word.lower() for word in words]
    if lower[0] in {"my", "our", "the", "a", "an"} or "'s" in subject:
        return lower[-1] in _PEOPLE or (
            any(word in _PEOPLE for word in lower[:-1]) and words[-1][0].isupper()
        )
    return words[0][0].isupper() and words[0] not in {"The", "A", "An"}


def _about_be(clause: Clause, who: str) -> list[Question]:
    be = _be_form(clause, who)
    words = clause.rest.split()
    first = words[0].lower() if words else ""
    if _AGE.match(clause.rest):
        return [Question("How old", f"{be} {who}", f"{who} {be}")]
    if first in PREPOSITIONS or " ".join(words[:2]).lower() == "next to":
        word = "When" if _TIME.search(clause.rest) else "Where"
        if first in _PLACE or first == "next":
            return [Question(word, f"{be} {who}", f"{who} {be}")]
        return [Question("What", f"{be} {who} {first}", f"{who} {be} {first}")]
    found = []
    place = next(
        (at for at, item in enumerate(words) if item.lower() in PREPOSITIONS and 0 < at <= 2), None
    )
    if place is not None and first not in DETERMINERS and not words[0][0].isupper():
        head, preposition, tail = (
            " ".join(words[:place]),
            words[place].lower(),
            " ".join(words[place + 1 :]),
        )
        if preposition in _PLACE:
            word = "When" if _TIME.search(" ".join(words[place:])) else "Where"
            found.append(Question(word, f"{be} {who} {head}", f"{who} {be} {head}"))
        else:
            word = "Who" if tail[:1].isupper() and preposition in {"to", "with", "by"} else "What"
            found.append(
                Question(
                    word, f"{be} {who} {head} {preposition}", f"{who} {be} {head} {preposition}"
                )
            )
    if first in {"called", "named"}:
        return [Question("What", f"{be} {who} {first}", f"{who} {be} {first}")]
    names_someone = is_person(who) or who == "I"
    found.append(Question("Who" if names_someone else "What", f"{be} {who}", f"{who} {be}"))
    return found


def _about_verb(clause: Clause, who: str) -> list[Question]:
    do, base, finite = _do_form(clause, who), clause.base, _finite(clause, who)
    words = clause.rest.split()
    place = next(
        (at for at, item in enumerate(words) if item.lower().strip(",") in PREPOSITIONS), None
    )
    thing = " ".join(words if place is None else words[:place]).strip(" ,")
    found = []
    if thing and thing.lower() not in ADVERBS:
        person = thing[:1].isupper() and base in {"love", "marry", "meet", "know", "like", "admire"}
        found.append(Question("Who" if person else "What", f"{do} {who} {base}", f"{who} {finite}"))
    if place is not None:
        preposition, tail = words[place].lower(), " ".join(words[place + 1 :])
        phrase = f"{preposition} {tail}"
        moves = preposition in {"to", "into", "from", "onto"} and base in _MOTION
        if preposition in _PLACE or moves or _TIME.search(phrase):
            word = "When" if _TIME.search(phrase) else "Where"
            stranded = f"{thing} {preposition}" if moves and word == "Where" else thing
            found.append(
                Question(word, f"{do} {who} {base} {stranded}", f"{who} {finite} {stranded}")
            )
        else:
            word = "Who" if preposition == "with" and tail[:1].isupper() else "What"
            found.append(
                Question(
                    word,
                    f"{do} {who} {base} {thing} {preposition}",
                    f"{who} {finite} {thing} {preposition}",
                )
            )
    return found


def _inverted(clause: Clause, who: str) -> tuple[str, str]:
    if clause.is_be:
        return _be_form(clause, who), ""
    if clause.is_modal or _is_perfect(clause):
        return clause.verb.lower(), ""
    return _do_form(clause, who), clause.base


def _is_perfect(clause: Clause) -> bool:
    """ "has moved", "have lived": "have" before a participle."""
    word = clause.rest.split(" ", 1)[0].lower() if clause.rest else ""
    base = base_of(word)
    is_participle = base is not None and word != base and not word.endswith("s")
    return clause.base == "have" and (word in {"got", "been"} or is_participle)


def _be_form(clause: Clause, who: str) -> str:
    if clause.past:
        return "were" if who != "I" and looks_plural(who) else "was"
    return be_of(who) if who != inner(clause.subject) else clause.verb.lower()


def _do_form(clause: Clause, who: str) -> str:
    if clause.past:
        return "did"
    if who != inner(clause.subject):
        return do_of(who)
    return "do" if clause.verb.lower() == clause.base else "does"


def _finite(clause: Clause, who: str) -> str:
    if clause.past:
        return past_of(clause.base) if clause.base != "have" else "had"
    return clause.base if _do_form(clause, who) == "do" else third_person(clause.base)


def rephrased(question: str) -> list[str]:
    """Other ways to put a question, where a rule can do it without changing what is asked.

    >>> rephrased("Which river system contains Charity Creek?")[0]
    'What river system contains Charity Creek?'
    """
    plain = re.sub(r"\s+", " ", question).strip().rstrip("?.! ")
    found = _swapped_word(plain) + _indirect(plain) + _from_forms(plain)
    low = (
        plain[:1].lower() + plain[1:]
        if re.match(r"(?i)(?:wh|how|in|on|at|is|are|do|did|can)", plain)
        else plain
    )
    found += [
        f"Tell me: {low}?",
        f"I'd like to know: {low}?",
        f"Quick question: {low}?",
        f"{plain}? Please answer.",
    ]
    return list(dict.fromkeys(_tidy(item) for item in found))


def _swapped_word(plain: str) -> list[str]:
    first, _, rest = plain.partition(" ")
    swaps = {"which": "What", "what": "Which"}
    second = rest.split(" ", 1)[0].lower() if rest else ""
    is_auxiliary = second in BE | HAVE | MODALS | {"do", "does", "did", "will", "type", "kind"}
    is_noun = not is_auxiliary and base_of(second) != second
    if first.lower() in swaps and (is_noun or first.lower() == "which"):
        return [f"{swaps[first.lower()]} {rest}?"]
    return []


def _indirect(plain: str) -> list[str]:
    """Questions about the subject keep their order ("who wrote it"); "what is X" turns round ("what
    X is").
    """
    match = re.match(
        r"(?i)^(what|who|where|when|which [\w' -]+?|how old)\s+(is|are|was|were)\s+(.+)$", plain
    )
    if match is not None:
        word, be, rest = match[1].lower(), match[2].lower(), match[3]
        tail = re.search(
            r"\s+(born|founded|located|made|named|called|created|written|developed|released|published|"
            r"built|"
            r"established|signed|buried|based|formed|from|in|for|by)$",
            rest,
        )
        ending = tail[0] if tail else ""
        body = rest[: -len(ending)] if ending else rest
        clause = f"{word} {body} {be}{ending}"
        return [f"Do you know {clause}?", f"Please tell me {clause}."]
    subject = r"(?i)^(?:who|(?:what|which)\s+[\w'-]+(?:\s+[\w'-]+)?)\s+(?!do\b|does\b|did\b)(\w+)\b"
    asks_subject = re.match(subject, plain)
    if (
        asks_subject is not None
        and (base_of(asks_subject[1]) is not None)
        and asks_subject[1].lower() not in MODALS
    ):
        low = plain[0].lower() + plain[1:]
        return [f"Do you know {low}?", f"Please tell me {low}."]
    return []


def _from_forms(plain: str) -> list[str]:
    """ "What is the X of Y" ↔ "What is Y's X"; "Where was Y born" → "In which place was Y born"."""
    opening = r"(?i)^(what|who)\s+(is|was|are|were)\s+"
    match = re.match(opening + r"(?:the\s+)?(?:name of the\s+)?([\w -]{2,40}?)\s+of\s+(.+)$", plain)
    if match is not None:
        word, be, part, whole = match.groups()
        return [f"{word} {be} {whole}'s {part}?", f"{whole}: {word.lower()} {be} the {part}?"]
    match = re.match(opening + r"(.+?)'s\s+([\w -]{2,40})$", plain)
    if match is not None:
        return [f"{match[1]} {match[2]} the {match[4]} of {match[3]}?"]
    swaps = {
        "where": "In which place",
        "when": "At what time",
        "in which": "In what",
        "in what": "In which",
    }
    for word, longer in swaps.items():
        if plain.lower().startswith(word + " "):
            return [f"{longer}{plain[len(word) :]}?"]
    return []


def _tidy(text: str) -> str:
    return re.sub(r"\s+([?.,])", r"\1", re.sub(r"\s+", " ", text)).strip()
