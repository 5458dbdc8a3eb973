"""Measure detection on labelled turns: precision, recall and separation, with Wilson intervals.

python benchmarks/detection.py data/language/detector_validation.jsonl
python benchmarks/detection.py FILE --by rules       # the control without the classifier
python benchmarks/detection.py FILE --errors         # also list what went wrong

A line holds ``text``, ``is_fact`` or ``facts`` (how many), and may hold ``label``, ``statements``
(what each says) and ``previous_question``. A turn counts as found when any fact is detected in it,
and as separated when as many facts are found as it holds and each says one of its statements:
shares half of its content words with it, which a label in other words than the turn's may not do.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest

from fledgling.core.files import read_jsonl
from fledgling.core.records import Fact, Turn
from fledgling.core.words import FUNCTION_WORDS
from fledgling.language.detector import choose_judge
from fledgling.language.facts import detect_all
from fledgling.language.perspective import to_assistant
from fledgling.language.sentences import expand, mend_apostrophes
from fledgling.models.loading import load_embedder
from fledgling.settings import load_config

# Half of the content words in common: "Felix works in Vienna" and "Your brother works in Vienna"
# say the same, "Your cat is called Olive" and "Olive is 14" do not.
SAME = 0.5


@dataclass(frozen=True)
class Utterance:
    """A labelled turn: how many facts it states, and what they say where that was written down."""

    turn: Turn
    label: str
    is_fact: bool
    facts: int
    statements: tuple[str, ...]
    family: str


@dataclass(frozen=True)
class Outcome:
    """What was found in a turn."""

    utterance: Utterance
    found: tuple[Fact, ...]

    @property
    def is_right(self) -> bool:
        return bool(self.found) == self.utterance.is_fact

    @property
    def is_separated(self) -> bool:
        said = [fact.statement for fact in self.found]
        return len(said) == self.utterance.facts and all_said(said, self.utterance.statements)


def read_utterances(path: Path) -> list[Utterance]:
    """The labelled turns of a JSONL file."""
    found = []
    for number, row in read_jsonl(path):
        is_fact = bool(row.get("is_fact", row.get("facts")))
        found.append(
            Utterance(
                Turn(row["text"], number, previous_question=row.get("previous_question")),
                row.get("label", ""),
                is_fact,
                int(row.get("facts", is_fact)),
                tuple(row.get("statements", ())),
                row.get("family", f"line {number}"),
            )
        )
    return found


def content(statement: str) -> frozenset[str]:
    """The words that carry what is said, in the assistant's perspective."""
    spoken = mend_apostrophes(statement)
    for label, word in (("the user's", "my"), ("the user", "I")):  # as some labels have it
        spoken = re.sub(label, word, spoken, flags=re.IGNORECASE)
    plain = to_assistant(expand(spoken)).casefold()
    told = "".join(mark if mark.isalnum() else " " for mark in plain).split()
    return frozenset(told) - FUNCTION_WORDS or frozenset(told)


def likeness(one: str, other: str) -> float:
    """The share of content words in common (Jaccard)."""
    first, second = content(one), content(other)
    return len(first & second) / max(1, len(first | second))


def all_said(found: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether each expected statement is said by a found one of its own."""
    if not expected:
        return True
    table = np.array([[likeness(one, other) for other in found] for one in expected])
    rows, columns = linear_sum_assignment(-table)
    return len(rows) == len(expected) and bool((table[rows, columns] >= SAME).all())


def share(hits: int, count: int) -> str:
    """A proportion with its 95% Wilson interval."""
    if not count:
        return "none"
    low, high = binomtest(hits, count).proportion_ci(method="wilson")
    return f"{hits / count:.3f} [{low:.3f}, {high:.3f}] ({hits} of {count})"


def report(outcomes: list[Outcome]) -> None:
    """Precision, recall and separation over all turns, then the right answers by label."""
    right = sum(bool(item.found) and item.utterance.is_fact for item in outcomes)
    several = [item for item in outcomes if item.utterance.facts > 1]
    single = [item for item in outcomes if item.utterance.facts == 1]
    empty = sum(not fact.statement.strip(" .") for item in outcomes for fact in item.found)
    print(f"precision         {share(right, sum(bool(item.found) for item in outcomes))}")
    print(f"recall            {share(right, sum(item.utterance.is_fact for item in outcomes))}")
    print(f"several separated {share(sum(item.is_separated for item in several), len(several))}")
    counted = sum(len(item.found) == item.utterance.facts for item in several)
    print(f"as many as told   {share(counted, len(several))}")
    once = sum(len(item.found) < 2 for item in single)
    print(f"one kept whole    {share(once, len(single))}")
    print(f"empty statements  {empty}")
    labels = defaultdict(list)
    for item in outcomes:
        labels[item.utterance.label].append(item.is_right)
    for label, hits in sorted(labels.items()):
        print(f"  {label:16s} right {share(sum(hits), len(hits))}")


def list_errors(outcomes: Iterable[Outcome]) -> None:
    """The turns that were judged wrong or cut wrong, and what was found in them."""
    for item in outcomes:
        wrong_cut = item.utterance.facts > 1 and not item.is_separated
        if not item.is_right or wrong_cut:
            kind = "MISSED" if item.utterance.is_fact and not item.found else "FALSE"
            kind = "CUT" if item.is_right else kind
            asked = item.utterance.turn.previous_question
            said = f"[{asked}] {item.utterance.turn.text}" if asked else item.utterance.turn.text
            print(f"{kind} {item.utterance.label}: {said!r} → {[f.statement for f in item.found]}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--by", choices=("detector", "rules"), default="detector")
    parser.add_argument("--errors", action="store_true", help="list what went wrong")
    arguments = parser.parse_args()
    section = load_config().language
    section = section.model_copy(update={"judge": arguments.by})
    judge = choose_judge(section, load_embedder().embed)
    for path in arguments.files:
        utterances = read_utterances(path)
        started = time.perf_counter()
        outcomes = [
            Outcome(item, tuple(detect_all(item.turn, section, judge))) for item in utterances
        ]
        taken = 1000.0 * (time.perf_counter() - started) / max(1, len(utterances))
        print(f"{path.name}: {len(utterances)} turns by {arguments.by}, {taken:.1f} ms a turn")
        report(outcomes)
        if arguments.errors:
            list_errors(outcomes)


if __name__ == "__main__":
    main()
