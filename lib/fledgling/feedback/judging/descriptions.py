"""What speaks for or against a phrase of a turn as the right answer, by name.

A description is the sum of views: where the phrase begins and ends, the clause it stands in, its
part in that clause, what it repeats of question and reply, what the question asks for, and whether
something that belongs to it was cut off.
"""

from __future__ import annotations

import math
import re

from fledgling.feedback.judging.grammar import read_grammar
from fledgling.feedback.judging.spans import Span
from fledgling.feedback.judging.turns import VERBAL
from fledgling.feedback.judging.words import alike, plain, shape

KINDS = (
    "be",
    "have",
    "modal",
    "verb",
    "preposition",
    "determiner",
    "conjunction",
    "negation",
    "adverb",
    "number",
    "other",
    "pronoun",
    "symbol",
)
_SAYS = frozenset(("says", "say", "said", "reads", "states"))
_MEANT = frozenset(("mean", "meant", "said", "want", "wanted", "thought"))
_CODE = re.compile(r"[()<>=_*/\\{}]|(?:^|\s)-\w")

Features = dict[str, float]


def describe(span: Span) -> Features:
    """What speaks for or against a phrase, by name, each about 0 to 1."""
    views = (_edges, _size, _clause, _neighbours, _part, _repeats, _wanted, _like_reply, _cut)
    return {name: float(value) for view in views for name, value in view(span).items()}


def _edges(span: Span) -> Features:
    """The kinds of its first and last word and of the words around it."""
    before = "clause" if span.opens_clause or not span.before else span.before.kind
    after = "clause" if span.ends_clause or not span.after else span.after.kind
    first, last = span.tokens[0].kind, span.tokens[-1].kind
    edges: Features = {}
    for kind in ("clause", *KINDS):
        edges |= {f"before_{kind}": before == kind, f"after_{kind}": after == kind}
    for kind in KINDS:
        edges |= {f"first_{kind}": first == kind, f"last_{kind}": last == kind}
    opens = span.seen.turn.opens
    return {**edges, "after_opening": span.start > 0 and opens[span.start - 1]}


def _size(span: Span) -> Features:
    count, inner = len(span.tokens), span.tokens[1:-1]
    whole = span.opens_clause and span.ends_clause and not span.crosses
    return {
        "length": math.log(count),
        "one_word": count == 1,
        "over_four": count > 4,
        "over_seven": count > 7,
        "whole_clause": whole,
        "crosses": span.crosses,
        "crosses_comma": any(token.stop == "," for token in span.tokens[:-1]),
        "holds_and": any(token.word in ("and", "or") for token in inner),
        "holds_of": any(token.word == "of" for token in span.tokens[1:]),
        "holds_preposition": any(
            token.kind == "preposition" and token.word not in ("of", "to")
            for token in span.tokens[1:]
        ),
        "has_verb": span.has_verb,
        "is_clause": span.has_verb and span.opens_clause,
        "points": count > 1
        and span.tokens[0].word in read_grammar().words["pointers"]
        and span.tokens[1].kind == "be"
        and not span.seen.wants["sentence"],
        "no_verb": span.clause.verb is None,
        "no_verb_opens": span.clause.verb is None and span.opens_clause,
        "no_verb_whole": span.clause.verb is None and whole,
    }


def _clause(span: Span) -> Features:
    """The clause it stands in."""
    seen, clause = span.seen, span.clause
    opening = seen.turn.tokens[clause.places[0]]
    beyond = span.outside and span.after and not span.ends_clause
    return {
        "wrong_beside": any(seen.wrong[place] for place in span.outside),
        "asked_beside": any(seen.asked[place] for place in span.outside),
        "new_beside": min(sum(map(seen.is_new, span.outside)), 4) / 4,
        "new_follows": bool(beyond) and seen.is_new(span.stop),
        "no_verb_wrong": clause.verb is None and any(seen.wrong[p] for p in span.outside),
        "reason": clause.reason,
        "negated": clause.negated,
        "objects": clause.objects,
        "that": opening.word == "that" and len(clause.places) > 1,
        "decided": any(read_grammar().decides.match(token.word) for token in span.tokens),
    }


def _neighbours(span: Span) -> Features:
    """The clauses around its own."""
    turn, seen = span.seen.turn, span.seen
    numbers = list(turn.clauses)
    place = numbers.index(span.number)
    before = [turn.clauses[number] for number in numbers[:place]]
    after = [turn.clauses[number] for number in numbers[place + 1 :]]
    others = [*before, *after]
    previous = before[-1] if before else None
    opening = turn.tokens[previous.places[0]] if previous else None
    return {
        "last_clause": bool(before) and not after,
        "middle_clause": bool(before) and bool(after),
        "only_part": bool(after) and not before and span.opens_clause and span.ends_clause,
        "wrong_elsewhere": any(seen.wrong[p] for clause in others for p in clause.places),
        "after_that": bool(opening) and opening.word == "that",
        "after_negated": any(clause.negated for clause in before),
        "after_objecting": any(clause.objects for clause in before),
        "before_reason": bool(after) and after[0].reason,
    }


def _part(span: Span) -> Features:
    """Its part in the clause: before the verb, or after it."""
    verb = span.clause.verb
    if verb is None or span.start <= verb < span.stop:
        return {}
    return _as_subject(span, verb) if span.stop <= verb else _as_object(span, verb)


def _as_subject(span: Span, verb: int) -> Features:
    seen, tokens = span.seen, span.seen.turn.tokens
    rest = [place for place in span.clause.places if place >= span.stop]
    asked = any(seen.asked[place] for place in rest)
    bare = not any(seen.says[place] for place in rest)
    full = span.opens_clause and span.stop == verb
    follows = tokens[verb + 1] if verb != span.clause.places[-1] else None
    decided = any(read_grammar().decides.match(tokens[p].word) for p in rest if p > verb)
    auxiliary = tokens[verb].kind in ("be", "have")
    return {
        "subject": True,
        "subject_full": full,
        "subject_asked": asked,
        "subject_new": any(map(seen.is_new, rest)),
        "subject_bare": bare,
        "subject_full_asked": full and asked,
        "subject_full_bare": full and bare,
        "subject_decided": decided,
        "subject_full_decided": full and decided,
        "subject_does": full
        and auxiliary
        and (follows is None or follows.kind in ("preposition", "adverb")),
        "subject_what": full
        and tokens[verb].kind == "be"
        and follows is not None
        and follows.word in ("what", "that", "the"),
        "who_does": full and seen.wants["name"],
    }


def _as_object(span: Span, verb: int) -> Features:
    seen, tokens = span.seen, span.seen.turn.tokens
    subject = [place for place in span.clause.places if place < verb]
    named = [place for place in subject if seen.says[place]]
    word = tokens[subject[-1]].word if subject and not named else ""
    between = [tokens[place].kind for place in range(verb, span.start)]
    joins = VERBAL | {"adverb", "preposition", "determiner"}
    return {
        "object_points": word in read_grammar().words["pointers"],
        "object_that": word == "that",
        "object_missed": any(seen.missed[place] for place in named),
        "object_wrong": any(seen.wrong[place] for place in named),
        "object_new": any(map(seen.is_new, named)),
        "object_next": all(kind in joins for kind in between),
        "object_after_verb": tokens[span.start - 1].kind in VERBAL,
        "object_said": any(tokens[p].word in _SAYS for p in span.clause.places if p < span.start),
    }


def _repeats(span: Span) -> Features:
    """What it repeats of question and reply."""
    seen, telling = span.seen, span.telling
    count = max(len(telling), 1)
    missed = sum(seen.missed[place] for place in telling)
    wrong = sum(seen.wrong[place] for place in telling)
    before, after = span.before, span.after
    return {
        "share_wrong": wrong / count,
        "share_asked": sum(seen.asked[place] for place in telling) / count,
        "share_missed": missed / count,
        "share_new": len(span.new) / count,
        "nothing_new": not span.new,
        "after_not": before is not None and (before.word == "not" or before.word.endswith("n't")),
        "before_not": after is not None and after.word == "not",
        "after_but": before is not None and before.word == "but",
        "after_meant": before is not None and before.word in _MEANT,
        "after_colon": before is not None
        and seen.turn.text[before.end : span.tokens[0].start].strip() == ":",
        "choice": seen.wants["choice"] and missed > 0 and wrong == 0,
        "as_read": bool(seen.as_read) and plain(span.text) == seen.as_read,
    }


def _wanted(span: Span) -> Features:
    """Whether it is of the kind that the question asks for."""
    seen, wants = span.seen, span.seen.wants
    inside = range(span.start, span.stop)
    number = any(seen.has_number[place] for place in inside)
    new = any(seen.new_number[place] for place in inside)
    capital = any(token.text[0].isupper() for token in span.tokens)
    sentence = span.has_verb and span.opens_clause and span.ends_clause
    whole = sentence and not span.crosses
    length = math.log(len(span.tokens))
    return {
        "number_wanted": seen.wants_number and number,
        "number_wanted_new": seen.wants_number and new,
        "number_lacking": seen.wants_number and not number,
        "number_missed": seen.wants_number and not new and any(seen.new_number),
        "number_unwanted": not seen.wants_number and number,
        "capital_inside": capital and not span.opens_clause,
        "name_wanted": wants["name"] and capital,
        "place_wanted": wants["place"] and span.tokens[0].kind == "preposition",
        "place_bare": wants["place"]
        and span.before is not None
        and span.before.kind == "preposition",
        "sentence_wanted": wants["sentence"] and sentence,
        "sentence_whole": wants["sentence"] and whole,
        "sentence_length": wants["sentence"] * length,
        "sentence_without_verb": wants["sentence"] and not span.has_verb,
        "decision_wanted": wants["decision"] and sentence,
        "decision_length": wants["decision"] * length,
        "reason_wanted": wants["reason"] and sentence,
        "reason_length": wants["reason"] * length,
    }


def _like_reply(span: Span) -> Features:
    """How much it looks like the reply, or keeps the words around what was wrong in it."""
    seen, count = span.seen, len(span.tokens)
    turn_words = {token.word for token in seen.turn.tokens}
    others = [word for word in seen.reply_words if word not in turn_words]
    first_said, last_said = seen.in_reply(span.start), seen.in_reply(span.stop - 1)
    replied = len(seen.reply_words)
    before = span.before if not span.opens_clause else None
    return {
        "length_differs": min(abs(count - replied), 6) / 6 if replied <= 6 else 0.0,
        "alike": alike([seen.turn.tokens[place].word for place in span.new], others),
        "shape": any(shape(token.text) in seen.shapes for token in span.tokens),
        "keeps_first": count > 1 and first_said and bool(span.new) and not last_said,
        "keeps_last": count > 1 and last_said and bool(span.new),
        "keeps_preposition": span.tokens[0].kind == "preposition" and first_said,
        "loses_first": before is not None
        and seen.in_reply(span.start - 1)
        and before.kind in ("other", "preposition", "number"),
        "code": bool(_CODE.search(span.text)) and bool(_CODE.search(seen.reply)),
        "quoted": span.text[0] == span.text[-1] == '"',
        "quotes_lost": '"' in seen.turn.text and '"' not in span.text,
    }


def _cut(span: Span) -> Features:
    """Whether something that belongs to it stands before or after it."""
    tokens, clause_of = span.seen.turn.tokens, span.seen.turn.clause_of
    approximate = read_grammar().words["approximate"]
    first, last = span.tokens[0], span.tokens[-1]
    before = span.before if not span.opens_clause else None
    after = span.after if not span.ends_clause else None
    second = tokens[span.start - 2] if span.start > 1 else None
    same = second is not None and clause_of[span.start - 2] == span.number
    verb = span.clause.verb
    return {
        "of_follows": after is not None and after.word == "of",
        "of_before": before is not None and before.word == "of",
        "phrase_follows": after is not None and after.kind == "preposition" and after.word != "of",
        "noun_before": before is not None
        and before.kind == "preposition"
        and same
        and second.kind in ("other", "number"),
        "unit_lost": last.kind == "number" and after is not None and after.kind == "other",
        "unit_kept": len(span.tokens) == 2 and first.kind == "number",
        "approximate": first.word in approximate or (first.word, first.kind) == ("at", "adverb"),
        "after_to": before is not None and before.word == "to",
        "verb_to": before is not None
        and before.word == "to"
        and verb is not None
        and tokens[verb].kind == "verb"
        and verb < span.start,
        "number_after_noun": verb is None
        and first.kind == "number"
        and before is not None
        and before.kind == "other",
    }
