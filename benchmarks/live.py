"""What a live session costs as it grows, and how long a reply waits for a lesson.

    python benchmarks/live.py              # 200 turns on a tiny model, and the real one's waits
    python benchmarks/live.py --turns 40

Ratios within one run: the last tenth of the turns against the second tenth (the first fills the
panel's window of messages).
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import ipywidgets

from fledgling.core import runtime
from fledgling.facts.learner import GateReaders, load_gate_readers
from fledgling.live.panel import Panel
from fledgling.live.session import Session
from fledgling.live.timing import first_token
from fledgling.models.loading import load_model
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model
from fledgling.settings import load_config

SMALL = {  # for the tiny model
    "language.judge": "rules",
    "facts.adapter.rank": 2,
    "facts.adapter.first_layer": 1,
    "facts.adapter.start": "aligned",
    "facts.prefix.first_layer": 1,
    "facts.learning.rows": "rendered",
    "facts.gate.min_similarity": 0.0,
}
NAMES = ("Mirela", "Tom", "Ida", "Nils", "Ada", "Lena", "Bo", "Eskil", "Ruth", "Piet")
PLACES = ("Oslo", "Bergen", "Trondheim", "Turku", "Lund", "Aarhus", "Espoo", "Odense", "Umea")


def notebook_bytes() -> int:
    """What saving the notebook with its widgets would add to it."""
    return len(json.dumps(ipywidgets.Widget.get_manager_state()))


def grow(turns: int) -> dict[str, float]:
    """Seconds of a turn with its lesson and the panel's renewal, and the notebook's size, late over
    early.
    """
    config = load_config(overrides=SMALL)
    readers = GateReaders(WordEmbedder(), WordOverlap())
    with tempfile.TemporaryDirectory() as folder:
        parts = (tiny_model(), {"default": config.facts}, config.language, config.live)
        panel = Panel(Session(*parts, readers=readers, folder=Path(folder)))
        seconds, sizes = [], []
        for number in range(turns):
            name, place = NAMES[number % len(NAMES)], PLACES[number // len(NAMES) % len(PLACES)]
            started = time.perf_counter()
            panel.line.value = f"{name} Number{number} lives in {place}."
            panel.send.click()
            panel.wait()
            panel.wait()
            seconds.append(time.perf_counter() - started)
            sizes.append(notebook_bytes())
        panel.close()
    tenth = max(turns // 10, 2)
    early, late = slice(tenth, 2 * tenth), slice(turns - tenth, turns)
    return {
        "turn_seconds": statistics.median(seconds[late]),
        "turn_seconds_late_over_early": statistics.median(seconds[late])
        / statistics.median(seconds[early]),
        "notebook_bytes_late_over_early": statistics.median(sizes[late])
        / statistics.median(sizes[early]),
    }


def wait_for_replies(count: int) -> dict[str, float]:
    """Seconds from the end of the step that ran to the first token, on the real model."""
    config = load_config("full")
    loaded = load_model(config.models, runtime.start())
    recipes = {"default": config.facts}
    parts = (loaded, recipes, config.language, config.live)
    session = Session(*parts, readers=load_gate_readers())
    waits = [
        first_token(session, f"{name} lives in Bergen.", "Who is the mayor of Oslo?")
        for name in NAMES[:count]
    ]
    session.close()
    during = [wait for wait in waits if wait is not None]
    return {
        "asked_during_an_update": len(during),
        "first_token_seconds_worst": max(wait.after for wait in during),
        "step_seconds_worst": max(wait.step for wait in during),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--waits", type=int, default=5)
    arguments = parser.parse_args()
    for name, value in {**grow(arguments.turns), **wait_for_replies(arguments.waits)}.items():
        print(f"{name}: {value:.3f}")
