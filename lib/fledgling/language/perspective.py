"""Turning a sentence round: what the user says of themselves, said back by the assistant, and the
other way.

>>> to_assistant("By the way, Tom is my friend")
'Tom is your friend.'
>>> to_user("You live in Oslo.")
'I live in Oslo.'
"""

from __future__ import annotations

import re

from fledgling.language.cues import cue
from fledgling.language.lexicon import ADVERBS, words

# What is quoted is somebody's words, and "Charles I" is a numeral: neither is turned round.
_KEPT = re.compile(
    r"\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|(?<!\w)'[^'\n]{2,200}'(?!\w)"
    r"|\b(?:World\s+War|Type|Part|Chapter|Phase|Volume|Act|Book|Class|Level|Grade|Stage|Elizabeth"
    r"|Charles|James|Henry|Napoleon|William|George|Nicholas|Francis|Catherine|Peter|Otto|Philip"
    r"|Leopold)\s+I\b(?!')"
)
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?|\W+|\d+|_+|[^\W\d_A-Za-z]+")
_AGREEMENT = {
    "i": {"am": "are", "was": "were", "wasn't": "weren't", "ain't": "aren't"},
    "you": {"are": "am", "were": "was", "weren't": "wasn't", "aren't": "am not"},
}
_SINGULAR = {
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "i'm": "you're",
    "i've": "you've",
    "i'd": "you'd",
    "i'll": "you'll",
    "you": "I",
    "your": "my",
    "yours": "mine",
    "yourself": "myself",
    "you're": "I'm",
    "you've": "I've",
    "you'd": "I'd",
    "you'll": "I'll",
}
# The assistant says "you" of the user alone or with others, and "we" of nobody.
_PLURAL = {
    "we": "you",
    "us": "you",
    "our": "your",
    "ours": "yours",
    "ourselves": "yourselves",
    "we're": "you're",
    "we've": "you've",
    "we'd": "you'd",
    "we'll": "you'll",
}
_FROM_USER = _SINGULAR | _PLURAL
_NOT_THE_ASSISTANT = {word: to for word, to in _FROM_USER.items() if not word.startswith("you")}
_SUBJECT_BEFORE = words("""
    and but or that because when while where if since before after until as so what which who than
    how why
""")
_SUBJECT_AFTER = words("""
    are were have had will can could should would may might must do did don't didn't know said told
    need
""")
_AFTER_AN_OBJECT = words("""
    a an the about that to for with in on at and or my how what when where why who this these
    yesterday today now
""")
_SPEAKS_TO = words("""
    tell told give gave show showed ask asked call called help thank teach taught remind let want
    need like love see know hear send sent i we do did does can could will would should are were
    have had named believe trust wish warn made make owe bought promised
""")
_NOT_A_SUBJECT_BEFORE = words("to for with of from at on by about like near between")


def to_assistant(text: str) -> str:
    """The user's sentence as the assistant would say it: first and second person exchanged,
    lead-ins dropped.

    Quoted text and names stay as they are; verbs agree ("I was" → "you were"); the result starts
    with a capital and ends with a full stop. Empty text gives an empty string.
    """
    return sentence(_exchange(strip_lead_in(text), _FROM_USER))


def to_user(text: str) -> str:
    """The assistant's sentence as the user would say it: "Tom is your friend." → "Tom is my
    friend.".
    """
    return sentence(_exchange(strip_lead_in(text), _SINGULAR))


def phrase_to_assistant(text: str) -> str:
    """Like ``to_assistant`` for a part of a sentence: no capital and no full stop are added."""
    return _exchange(text.strip(), _FROM_USER)


def strip_lead_in(text: str) -> str:
    """Drop "By the way,", "Remember that", "FYI", "Just so you know," and the like from the start.

    >>> strip_lead_in("ok so, please note that my desk is blue")
    'my desk is blue'
    """
    text = text.strip()
    # Lead-ins come in rows ("ok so, by the way, …"), but a turn that is nothing else is kept.
    while (opening := cue("lead_in", text)) and text[opening.end() :].strip():
        text = text[opening.end() :].strip()
    return text


def sentence(text: str) -> str:
    """Sentence case, single spaces, and a full stop where no end mark stands."""
    text = re.sub(r"\s+", " ", text).strip().rstrip(",;:- ")
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    if text.endswith(("!", ".", "?", "…")):
        # "!!!" and "…" end in one full stop; a question stays one.
        return re.sub(r"[!.?…]+$", "?" if text.endswith("?") else ".", text)
    closes_quote = text[-1] in '"”»' and text[-2:-1] in (".", "!", "?")
    return text if closes_quote else text + "."


def _exchange(text: str, mapping: dict[str, str]) -> str:
    text = text.replace("’", "'")
    pieces, end = [], 0
    for kept in _KEPT.finditer(text):
        pieces += [_exchange_words(text[end : kept.start()], mapping), kept.group()]
        end = kept.end()
    return "".join([*pieces, _exchange_words(text[end:], mapping)])


def _exchange_words(text: str, mapping: dict[str, str]) -> str:
    tokens = _WORD.findall(text)  # words, and what stands between them
    spoken = [token.lower() for token in tokens if token[0].isalpha()]
    if _says_you_of_anybody(spoken):
        mapping = _NOT_THE_ASSISTANT
    out, at = [], 0  # at: how many words stand before this token
    for place, token in enumerate(tokens):
        if not token[0].isalpha():
            out.append(token)
            continue
        before, after = spoken[:at], spoken[at + 1] if at + 1 < len(spoken) else ""
        word, at = token.lower(), at + 1
        agreement = _AGREEMENT.get(_subject_of(before, after), {})
        if word in agreement:
            out.append(agreement[word].capitalize() if token[0].isupper() else agreement[word])
        elif word not in mapping or _is_in_a_name(tokens, place):
            out.append(token)
        # "you" is subject and object in one; the assistant must choose between "I" and "me".
        elif word == "you" and not _is_subject(before, after):
            out.append("me")
        else:
            opens = place == 0 and token[0].isupper()
            out.append(mapping[word][0].upper() + mapping[word][1:] if opens else mapping[word])
    return "".join(out)


def _says_you_of_anybody(spoken: list[str]) -> bool:
    """Whether "you" means people in general: "In our house you take your shoes off" is not about
    the assistant.

    That is so where "you" stands before a verb but after a noun, neither opening a clause nor
    spoken to.
    """
    opens_or_is_told = _SUBJECT_BEFORE | _NOT_A_SUBJECT_BEFORE | _SPEAKS_TO | ADVERBS
    for place, word in enumerate(spoken[:-1]):
        if word != "you" or place == 0 or spoken[place - 1] in opens_or_is_told:
            continue
        after = spoken[place + 1]
        if after not in _AFTER_AN_OBJECT and not _is_subject(spoken[:place], after):
            return True
    return False


def _subject_of(before: list[str], after: str) -> str:
    """ "i" or "you" when that is the subject of the verb between ``before`` and ``after``, else
    nothing.
    """
    near = [word for word in before if word not in ADVERBS]
    if near and near[-1] in _AGREEMENT:
        # "my brother and you were": plural, so the verb does not follow "you".
        is_joined = near[-2:-1] and near[-2] in {"and", "or"} | _NOT_A_SUBJECT_BEFORE
        return "" if near[-1] == "you" and is_joined else near[-1]
    is_inverted = after in _AGREEMENT and (not near or near[-1] in _SUBJECT_BEFORE)
    return after if is_inverted else ""


def _is_subject(before: list[str], after: str) -> bool:
    if not before or before[-1] in _SUBJECT_BEFORE:
        return bool(after)
    return before[-1] not in _NOT_A_SUBJECT_BEFORE and after in _SUBJECT_AFTER


def _is_in_a_name(tokens: list[str], place: int) -> bool:
    """ "My", "Our", "Your", "Me", "You" inside a name in capitals ("the Your Move club") are left
    alone.
    """
    token = tokens[place]
    if place == 0 or not token[0].isupper() or token.startswith("I") or token.isupper():
        return False
    if any(mark in tokens[place - 1] for mark in ".!?:\n"):
        return False
    following = next((word for word in tokens[place + 1 :] if word[0].isalpha()), "")
    return following[:1].isupper()
