"""Throw generated text at every parser of the language package: no exception, no empty statement,
and the slowest input by parser.

python benchmarks/fuzz_language.py --inputs 50000
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fledgling.core.errors import DataError
from fledgling.core.records import Turn
from fledgling.language.asking import asked_kind, is_answer
from fledgling.language.candidates import find_candidates
from fledgling.language.clauses import split_turn
from fledgling.language.corrections import find_correction
from fledgling.language.entities import find_entities
from fledgling.language.facts import detect_all, take_at_word
from fledgling.language.features import features
from fledgling.language.filters import reason_against, reason_against_turn
from fledgling.language.grammar import split_clause, unfronted
from fledgling.language.perspective import phrase_to_assistant, strip_lead_in, to_assistant, to_user
from fledgling.language.questions import subject_frames, wh_questions, yes_no
from fledgling.language.readings import full_statement, read
from fledgling.language.rephrasing import rephrased
from fledgling.language.retractions import affirmed
from fledgling.language.sentences import expand, mend_apostrophes, split_sentences
from fledgling.language.texts import check_text
from fledgling.settings import load_config

SECTION = load_config().language
# What people type, what breaks rules, and what no person types.
PLAIN = """
i I'm my our Tom Ana lena she he it they you your who what where when how why is are was were
has have had do does don't didn't can't won't isn't not never no nobody any more anymore lives
live lived works in at on from to of for with and but or so because if that which sister dog
friend name age called Oslo bank 34 1,000 7:30 june monday actually sorry wrong yes right well
btw please remember call me stopped quit moved now new old ' - — … . ; : ? ! ( ) / * # < > { }
[ ] | 's n't it's that's there's I've 😀 é ß İ 私 мир
"""
SCRAPS = [
    *PLAIN.split(),
    "am\n",
    "longer\n",
    "who's\n",
    "no,\n",
    '"quote',
    '"',
    ",\n",
    "\\",
    "<|im_end|>\n",
]
WORDS = st.lists(st.sampled_from(SCRAPS), max_size=60)
TEXTS = st.one_of(
    WORDS.map(" ".join),
    WORDS.map("".join),
    st.text(max_size=200),
    st.text(alphabet=" .,'\"?!:;-()[]{}aiIAT0", max_size=300),
    st.tuples(WORDS.map(" ".join), st.integers(1, 200)).map(lambda pair: (pair[0] + " ") * pair[1]),
)


def asked_of(text: str) -> None:
    """Everything that can be asked about a clause."""
    clause = split_clause(text)
    if clause is not None:
        for subject in (None, "Lena"):
            yes_no(clause, subject)
            for question in wh_questions(clause, subject):
                _ = question.direct, question.indirect
        subject_frames(clause)


def checked(text: str) -> None:
    """The door lets a text pass or refuses it in words."""
    with contextlib.suppress(DataError):
        check_text(text, "turn")


def detected(text: str) -> None:
    """No fact without words, with and without a question before."""
    for asked in (None, "Where does Lena live?", text):
        for fact in detect_all(Turn(text, previous_question=asked), SECTION):
            assert any(mark.isalnum() for mark in fact.statement), (text, fact)
    detect_all(Turn("", question=text, answer=text), SECTION)
    with contextlib.suppress(DataError):
        take_at_word(Turn(text), SECTION)


def seen(text: str) -> None:
    """Features of every candidate."""
    for candidate in find_candidates(Turn(text, previous_question=text[:80]), SECTION):
        features(candidate, SECTION)


def short(parse: Callable[[str], object]) -> Callable[[str], object]:
    """The parsers of one sentence never see more of a text than a turn may hold."""
    return lambda text: parse(text[: SECTION.max_characters])


PARSERS: dict[str, Callable[[str], object]] = {
    "detect": detected,
    "door": checked,
    "features": seen,
    "split_sentences": split_sentences,
    "mend_apostrophes": mend_apostrophes,
    "expand": short(expand),
    "split_turn": short(lambda text: split_turn([text])),
    "correction": short(lambda text: find_correction(text, "Who is Tom?", SECTION)),
    "entities": short(lambda text: find_entities(text, SECTION)),
    "filters": short(lambda text: (reason_against(text), reason_against_turn(text))),
    "grammar": short(lambda text: (split_clause(text), unfronted(text))),
    "perspective": short(lambda text: (to_assistant(text), to_user(text), strip_lead_in(text))),
    "phrase": short(phrase_to_assistant),
    "questions": short(asked_of),
    "readings": short(lambda text: read(full_statement(text), SECTION)),
    "rephrased": short(rephrased),
    "retractions": short(affirmed),
    "asking": short(lambda text: (asked_kind(text), is_answer(text, text))),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for parse in PARSERS.values():  # tables and patterns are read once
        parse("Tom's my friend, and he lives in Oslo.")
    slowest = dict.fromkeys(PARSERS, (0.0, ""))
    count = 0

    @seed(arguments.seed)
    @settings(
        max_examples=arguments.inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(TEXTS)
    def run(text: str) -> None:
        nonlocal count
        count += 1
        for name, parse in PARSERS.items():
            started = time.process_time()
            parse(text)
            taken = time.process_time() - started
            slowest[name] = max(slowest[name], (taken, text[:60]))

    run()
    print(f"{count} inputs, no exception, no empty statement")
    for name, (taken, text) in sorted(slowest.items(), key=lambda item: -item[1][0]):
        print(f"{name:18s} slowest {taken:.3f} s  {text!r}")
    sys.exit(slowest["detect"][0] > 0.3)


if __name__ == "__main__":
    main()
