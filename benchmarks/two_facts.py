"""Questions that need two facts: python benchmarks/two_facts.py [--pairs FILE]

All facts are told to one learner, then every question is asked, led through one fact at most and
through two, beside the questions that one fact answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

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


def main(
    pairs: Annotated[
        Path, typer.Option(help="Lines with turns, question, answers, and single questions.")
    ] = DATA / "facts" / "two_hop.jsonl",
    tokens: Annotated[int, typer.Option(help="Of a reply, at most.")] = 24,
    recipe: Annotated[str, typer.Option(help="default | reader")] = "default",
    count: Annotated[int, typer.Option(help="Pairs; 0 = all.")] = 0,
) -> None:
    rows = [row for _, row in read_jsonl(pairs)][: count or None]
    joint = [(row["question"], row["answers"]) for row in rows]
    single = [(one["question"], one["answers"]) for row in rows for one in row["single"]]
    loaded = load_model(load_config("full").models, start())
    readers = load_gate_readers()
    config = load_config("full", recipe=recipe)
    learner = OnlineLearner(loaded, config.facts, config.language, readers=readers)
    for turn in (Turn(text) for row in rows for text in row["turns"]):
        list(learn(learner, [turn], reply=False, taught=True))
    for steps in (1, 2):
        learner.gate.section = override(learner.facts, {"gate.steps": steps}).gate
        print(f"led through {steps}: two facts {right(learner, joint, tokens)}", flush=True)
        print(f"led through {steps}: one fact  {right(learner, single, tokens)}", flush=True)
    learner.close()


def right(learner: OnlineLearner, asked: Sequence[Asked], tokens: int) -> str:
    """The share of replies that hold one of their answers."""
    replies = learner.answer([question for question, _ in asked], max_new_tokens=tokens)
    hits = [
        contains(reply.text, answers) for reply, (_, answers) in zip(replies, asked, strict=True)
    ]
    return share(sum(hits), len(hits))


if __name__ == "__main__":
    typer.run(main)
