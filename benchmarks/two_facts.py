"""Questions that need two facts: python benchmarks/two_facts.py [--pairs FILE]

All facts are told to one learner, then every question is asked, led through one fact at most and
through two, beside the questions that one fact answers. A public set beside the project's pairs,
as its authors ask (Zhou et al., "An Interpretable Reasoning Network for Multi-Relation Question
Answering", COLING 2018):

    git clone https://github.com/zmtkeke/IRN FOLDER
    python benchmarks/two_facts.py --pathquestion FOLDER/PathQuestion/PQ-2H.txt --count 60
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from detection import share

from fledgling.core.answers import contains
from fledgling.core.files import read_jsonl
from fledgling.core.layers import override
from fledgling.core.paths import DATA
from fledgling.core.records import Turn
from fledgling.core.runtime import start
from fledgling.facts.flow import learn
from fledgling.facts.learner import OnlineLearner, load_gate_readers
from fledgling.models.loading import load_model
from fledgling.settings import load_config

Asked = tuple[str, Sequence[str]]  # a question and its answers
RELATIVES = {"parents": "parent", "children": "child", "spouse": "spouse"}
_ROMAN = re.compile(r"[ivx]+")
_SMALL = frozenset({"of", "the", "and", "de", "von", "van"})


def main(
    pairs: Annotated[
        Path, typer.Option(help="Lines with turns, question, answers, and single questions.")
    ] = DATA / "facts" / "two_hop.jsonl",
    tokens: Annotated[int, typer.Option(help="Of a reply, at most.")] = 24,
    recipe: Annotated[str, typer.Option(help="default | reader")] = "default",
    least: Annotated[int, typer.Option(help="Steps to begin with: 1 or 2.")] = 1,
    count: Annotated[int, typer.Option(help="Pairs; 0 = all.")] = 0,
    pathquestion: Annotated[str, typer.Option(help="PQ-2H.txt, instead of --pairs.")] = "",
) -> None:
    if pathquestion:
        rows = read_pathquestion(Path(pathquestion))[: count or None]
    else:
        rows = [row for _, row in read_jsonl(pairs)][: count or None]
    joint = [(row["question"], row["answers"]) for row in rows]
    single = [(one["question"], one["answers"]) for row in rows for one in row["single"]]
    loaded = load_model(load_config("full").models, start())
    readers = load_gate_readers()
    config = load_config("full", recipe=recipe)
    learner = OnlineLearner(loaded, config.facts, config.language, readers=readers)
    for turn in (Turn(text) for row in rows for text in row["turns"]):
        list(learn(learner, [turn], reply=False, taught=True))
    for steps in range(least, 3):
        learner.gate.section = override(learner.facts, {"gate.steps": steps}).gate
        print(f"led through {steps}: two facts {right(learner, joint, tokens)}", flush=True)
        print(f"led through {steps}: one fact  {right(learner, single, tokens)}", flush=True)
    learner.close()


def read_pathquestion(path: Path) -> list[dict[str, Any]]:
    """PathQuestion's questions of two steps as rows of --pairs, shuffled with seed 0.

    A line is ``question<TAB>answer(all answers)<TAB>subject#relation#middle#relation#object#…``.
    The two triples are told in one plain frame. Left out: a gender, which is right half of the time
    by chance; an object that the question names; and a subject or middle that a question before it
    has, so that no two facts contradict each other.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    random.Random(0).shuffle(lines)
    rows, seen = [], set()
    for line in lines:
        question, _, route = line.split("\t")
        subject, first, middle, second, found, *_ = route.split("#")
        if second == "gender" or found in question or seen & {subject, middle}:
            continue
        seen |= {subject, middle, found}
        steps = ((subject, first, middle), (middle, second, found))
        asked = question.replace(subject, named(subject)).replace(" 's", "'s").rstrip(" ?")
        rows.append(
            {
                "turns": [
                    f"The {worded(relation)} of {named(of)} is {named(value)}."
                    for of, relation, value in steps
                ],
                "question": f"{asked[0].upper()}{asked[1:]}?",
                "answers": [named(found)],
                "single": [
                    {
                        "question": f"{'Who' if relation in RELATIVES else 'What'} is the"
                        f" {worded(relation)} of {named(of)}?",
                        "answers": [named(value)],
                    }
                    for of, relation, value in steps
                ],
            }
        )
    return rows


def worded(relation: str) -> str:
    """``cause_of_death`` → ``cause of death``."""
    return RELATIVES.get(relation, relation.replace("_", " "))


def named(entity: str) -> str:
    """``charles_ix_of_sweden`` → ``Charles IX of Sweden``."""
    words = entity.split("_")
    return " ".join(
        word if word in _SMALL else word.upper() if _ROMAN.fullmatch(word) else word.capitalize()
        for word in words
    )


def right(learner: OnlineLearner, asked: Sequence[Asked], tokens: int) -> str:
    """The share of replies that hold one of their answers."""
    replies = learner.answer([question for question, _ in asked], max_new_tokens=tokens)
    hits = [
        contains(reply.text, answers) for reply, (_, answers) in zip(replies, asked, strict=True)
    ]
    return share(sum(hits), len(hits))


if __name__ == "__main__":
    typer.run(main)
