"""What was taught, as a file to train on: from a conversation to an adapter of the usual kind."""

from __future__ import annotations

import json
import random
from pathlib import Path

from fledgling.core.files import write_text
from fledgling.facts.learner import OnlineLearner


def write_lessons(learner: OnlineLearner, path: Path) -> int:
    """Every fact's training rows as JSONL of instruction, input and output (the Alpaca form), whole
    or not at all. Returns how many rows there are.
    """
    lines = [
        {"instruction": row.prompt, "input": "", "output": row.answer}
        for fact in learner.memory.all()
        for row in learner.lessons.examples(fact, random.Random(learner.seed))
    ]
    write_text(path, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))
    return len(lines)
