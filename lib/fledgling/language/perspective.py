"""Turning a sentence round: what the user says of themselves, said back by the assistant, and the
other way.

>>> to_assistant("By the way, Tom is my friend")
'Tom is your friend.'
>>> to_user("You live in Oslo.")
'I live in Oslo.'
"""

from __future__ import annotations

import re

LEAD_INS = re.compile(
    r"""^\s*(?:
        (?:ok(?:ay)?|well|so|hey|hi|hello|hm+|um+|uh|oh|ah|alright|right|look|listen|yes|yeah|yep|sure|anyway|anyhow|besides|also|and)\b[\s,!.:;…-]+
        (?:there[,!]?\s+)?(?=\S)
      |
      (?:by\s+the\s+way|btw|oh\s+by\s+the\s+way|incidentally|fyi|for\s+your\s+information|for\s+the\s+record
      |for\s+(?:future\s+)?reference|for\s+context|as\s+(?:a\s+)?background|in\s+case\s+you(?:'re|\s+are)\s+wondering
      |(?:just\s+)?so\s+(?:that\s+)?you(?:'re|\s+are)\s+aware|(?:just\s+)?so\s+you\s+know|in\s+fact
      |a\s+(?:quick|small|little)\s+(?:note|reminder|fact)(?:\s+about\s+me)?|fun\s+fact|quick\s+(?:note|update)|update|note\s+to\s+self
      |one\s+(?:more|other|last)\s+thing|another\s+thing|as\s+(?:i|we)(?:'ve|\s+have)?\s+(?:already\s+)?(?:said|mentioned|told\s+you)|you\s+know|see|just\s+to\s+let\s+you\s+know|to\s+let\s+you\s+know
      |the\s+thing\s+is|fact\s+is|the\s+fact\s+is|truth\s+is|as\s+you\s+know)
      (?:[,:;.!-]+\s*|\s+)(?:that\s+)? | (?:please\s+|just\s+|also\s+|and\s+)*
      (?:remember|note|keep\s+in\s+mind|bear\s+in\s+mind|be\s+aware|know|take\s+note|don't\s+forget
      |do\s+not\s+forget|never\s+forget|make\s+a\s+note|save\s+this|store\s+this|learn|memori[sz]e)
      (?:\s+(?:this|the\s+following))? (?:\s*[:,]\s*(?:that\s+)?|\s+that\s+) |
      (?:please\s+)?(?:remember|note|keep\s+in\s+mind|don't\s+forget)\s+
      (?=(?:my|our|i|i'm|we|we're|the)\b) |
      (?:i\s+(?:just\s+)?(?:want|wanted|would\s+like|need)\s+(?:you\s+)?to\s+
      (?:know|remember|tell\s+you|mention|say|note)
      |i'd\s+like\s+(?:you\s+)?to\s+(?:know|remember|tell\s+you|mention)
      |you\s+(?:should|ought\s+to|need\s+to|may\s+want\s+to|might\s+want\s+to|must)\s+(?:also\s+)?(?:know|remember|note)
      |(?:i\s+should|i\s+must|let\s+me|allow\s+me\s+to)\s+(?:mention|add|tell\s+you|note|say)
      |did\s+i\s+mention|it\s+turns\s+out|turns\s+out|it\s+so\s+happens)
      \s*(?:that\s+|[:,]\s*|(?=\b(?:my|our|i|i'm|we|the)\b))
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_QUOTED = re.compile(
    r"\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|(?<!\w)'[^'\n]{2,200}'(?!\w)"
)
_NUMERAL_I = re.compile(
    r"\b(?:World\s+War|Type|Part|Chapter|Phase|Volume|Act|Book|Class|Level|Grade|Stage|Elizabeth|Charles|James|Henry|"
    r"Napoleon|William|George|Nicholas|Francis|Catherine|Peter|Otto|Philip|Leopold)\s+I\b(?!')"
)
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?|\W+|\d+|_+|[^\W\d_A-Za-z]+")
_AGREEMENT = {
    "i": {"am": "are", "was": "were", "wasn't": "weren't", "ain't": "aren't"},
    "you": {"are": "am", "were": "was", "weren't": "wasn't", "aren't": "am not"},
}
_ADVERBS = {
    "also",
    "always",
    "still",
    "really",
    "now",
    "never",
    "just",
    "once",
    "actually",
    "usually",
    "only",
}
_FROM_USER = {
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "i'm": "you're",
    "i've": "you've",
    "i'd": "you'd",
    "i'll": "you'll",
    "we": "you",
    "us": "you",
    "our": "your",
    "ours": "yours",
    "ourselves": "yourselves",
    "we're": "you're",
    "we've": "you've",
    "we'd": "you'd",
    "we'll": "you'll",
    "you": "I",
    "your": "my",
    "yours": "mine",
    "yourself": "myself",
    "you're": "I'm",
    "you've": "I've",
    "you'd": "I'd",
    "you'll": "I'll",
}
_FROM_ASSISTANT = {
    word: mapped
    for word, mapped in _FROM_USER.items()
    if word not in {"we", "us", "our", "ours", "ourselves", "we're", "we've", "we'd", "we'll"}
}
_SUBJECT_BEFORE = {
    "and",
    "but",
    "or",
    "that",
    "because",
    "when",
    "while",
    "where",
    "if",
    "since",
    "before",
    "after",
    "until",
    "as",
    "so",
    "what",
    "which",
    "who",
    "than",
    "how",
    "why",
}
_AFTER_AN_OBJECT = {
    "a",
    "an",
    "the",
    "about",
    "that",
    "to",
    "for",
    "with",
    "in",
    "on",
    "at",
    "and",
    "or",
    "my",
    "how",
    "what",
    "when",
    "where",
    "why",
    "who",
    "this",
    "these",
    "yesterday",
    "today",
    "now",
}
_SPEAKS_TO = {
    "tell",
    "told",
    "give",
    "gave",
    "show",
    "showed",
    "ask",
    "asked",
    "call",
    "called",
    "help",
    "thank",
    "teach",
    "taught",
    "remind",
    "let",
    "want",
    "need",
    "like",
    "love",
    "see",
    "know",
    "hear",
    "send",
    "sent",
    "i",
    "we",
    "do",
    "did",
    "does",
    "can",
    "could",
    "will",
    "would",
    "should",
    "are",
    "were",
    "have",
    "had",
    "named",
    "believe",
    "trust",
    "wish",
    "warn",
    "made",
    "make",
    "owe",
    "bought",
    "promised",
}
_NOT_A_SUBJECT_BEFORE = {
    "to",
    "for",
    "with",
    "of",
    "from",
    "at",
    "on",
    "by",
    "about",
    "like",
    "near",
    "between",
}


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
    return sentence(_exchange(strip_lead_in(text), _FROM_ASSISTANT))


def phrase_to_assistant(text: str) -> str:
    """Like ``to_assistant`` for a part of a sentence: no capital and no full stop are added."""
    return _exchange(text.strip(), _FROM_USER)


def strip_lead_in(text: str) -> str:
    """Drop "By the way,", "Remember that", "FYI", "Just so you know," and the like from the start.

    >>> strip_lead_in("ok so, please note that my desk is blue")
    'my desk is blue'
    """
    text = text.strip()
    for _ in range(4):
        shorter = LEAD_INS.sub("", text, count=1).strip()
        if not shorter or shorter == text:
            break
        text = shorter
    return text


def sentence(text: str) -> str:
    """Sentence case, single spaces, and a full stop where no end mark stands."""
    text = re.sub(r"\s+", " ", text).strip().rstrip(",;:- ")
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    if text.endswith(("!", ".", "?", "…")):
        return re.sub(r"[!.?…]+$", "?" if text.endswith("?") else ".", text)
    closes_quote = text[-1] in '"”»' and len(text) > 1 and text[-2] in ".!?"
    return text if closes_quote else text + "."


def _exchange(text: str, mapping: dict[str, str]) -> str:
    text = text.replace("’", "'")
    pieces, end = [], 0
    kept = sorted(
        [match.span() for finder in (_QUOTED, _NUMERAL_I) for match in finder.finditer(text)]
    )
    for start, stop in kept:
        if start < end:
            continue
        pieces += [_exchange_words(text[end:start], mapping), text[start:stop]]
        end = stop
    return "".join([*pieces, _exchange_words(text[end:], mapping)])


def _exchange_words(text: str, mapping: dict[str, str]) -> str:
    words = _WORD.findall(text)
    if _says_you_of_anybody(words):
        mapping = {word: mapped for word, mapped in mapping.items() if not word.startswith("you")}
    out: list[str] = []
    for place, word in enumerate(words):
        lower = word.lower()
        before = [item.lower() for item in words[max(0, place - 6) : place] if item[0].isalpha()]
        after = next(
            (item.lower() for item in words[place + 1 : place + 4] if item[0].isalpha()), ""
        )
        agreement = _AGREEMENT.get(_subject_of(before, after), {})
        if lower in agreement:
            out.append(agreement[lower].capitalize() if word[0].isupper() else agreement[lower])
        elif lower in mapping and not _is_name(words, place):
            target = mapping[lower]
            if lower == "you":
                target = "I" if _is_subject(before, after) else "me"
            out.append(_at_start(target, word, is_first=not before and place == 0))
        else:
            out.append(word)
    return "".join(out)


def _says_you_of_anybody(words: list[str]) -> bool:
    """Whether "you" means people in general: "In our house you take your shoes off" is not about
    the assistant.

    That is so where "you" stands before a verb but after a noun, neither opening a clause nor
    spoken to.
    """
    spoken = [word.lower() for word in words if word[0].isalpha()]
    return any(
        word == "you"
        and 0 < place < len(spoken) - 1
        and spoken[place + 1] not in _AFTER_AN_OBJECT
        and spoken[place - 1] not in _SUBJECT_BEFORE | _NOT_A_SUBJECT_BEFORE | _SPEAKS_TO | _ADVERBS
        and not _is_subject(spoken[:place], spoken[place + 1])
        for place, word in enumerate(spoken)
    )


def _subject_of(before: list[str], after: str) -> str:
    """ "i" or "you" when that is the subject of the verb between ``before`` and ``after``, else
    nothing.
    """
    near = [word for word in before if word not in _ADVERBS]
    if near and near[-1] in _AGREEMENT:
        joined = (
            near[-1] == "you"
            and len(near) >= 2
            and near[-2] in {"and", "or", *_NOT_A_SUBJECT_BEFORE}
        )
        return "" if joined else near[-1]
    inverted = after in _AGREEMENT and (not near or near[-1] in _SUBJECT_BEFORE)
    return after if inverted else ""


def _is_subject(before: list[str], after: str) -> bool:
    if not before or before[-1] in _SUBJECT_BEFORE:
        return bool(after)
    if before[-1] in _NOT_A_SUBJECT_BEFORE:
        return False
    return after in {
        "are",
        "were",
        "have",
        "had",
        "will",
        "can",
        "could",
        "should",
        "would",
        "may",
        "might",
        "must",
        "do",
        "did",
        "don't",
        "didn't",
        "know",
        "said",
        "told",
        "need",
    }


def _is_name(words: list[str], place: int) -> bool:
    """ "My", "Our", "Your", "Me", "You" inside a name in capitals ("the Your Move club") are left
    alone.
    """
    word = words[place]
    if place == 0 or not word[0].isupper() or word.startswith("I") or word.isupper():
        return False
    start_of_sentence = any(mark in words[place - 1] for mark in ".!?:\n")
    following = next((item for item in words[place + 1 : place + 3] if item[0].isalpha()), "")
    return not start_of_sentence and following[:1].isupper()


def _at_start(target: str, word: str, *, is_first: bool) -> str:
    if target == "I" or target.startswith("I'"):
        return target
    return target[0].upper() + target[1:] if is_first and word[0].isupper() else target
