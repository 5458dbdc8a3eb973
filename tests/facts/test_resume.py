"""Stopping, resuming, and being killed."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from fledgling.core.records import Turn
from fledgling.facts.flow import learn
from fledgling.models.tiny import to_bytes

TEXTS = [
    "Tom is my friend.",
    "Lena lives in Oslo.",
    "My keys are in the blue drawer.",
    "Ida plays the viola.",
]
LAST = "Nils works at the bank."
RECIPES = pytest.mark.parametrize(
    "changes",
    [
        {"facts.learning.placement": "per_fact"},
        {
            "facts.learning.placement": "per_fact",
            "facts.kl.hold_budget": True,
            "facts.kl.budget": 1e-6,
            "facts.adapter.dropout": 0.2,
        },
        {"facts.learning.placement": "shared"},
        {
            "facts.learning.placement": "shared",
            "facts.replay.rows": 2,
            "facts.kl.hold_budget": True,
            "facts.kl.budget": 1e-6,
        },
        {
            "facts.learning.placement": "shared",
            "facts.adapter.dropout": 0.2,
            "facts.replay.rows": 1,
            "facts.replay.strategy": "importance",
        },
        {"facts.learning.wait_for": 3, "facts.learning.placement": "shared"},
        {"facts.learning.wait_for": 3, "facts.learning.placement": "per_fact"},
        {"facts.learning.placement": "prefix"},
        {"facts.learning.wait_for": 3, "facts.learning.placement": "prefix"},
    ],
    ids=[
        "per_fact",
        "per_fact_steered",
        "shared",
        "shared_replay",
        "shared_dropout",
        "hybrid_shared",
        "hybrid_per_fact",
        "prefix",
        "hybrid_prefix",
    ],
)


def tell(learner, texts):
    return [record for text in texts for record in learn(learner, [Turn(text)])]


def outcome(learner, records):
    numbers = [
        (
            record.event,
            record.name,
            {key: value for key, value in record.values.items() if key != "seconds"},
        )
        for record in records
    ]
    # where each fact has weights of its own, the trainer's are scratch paper: the stored ones count
    tensors, values = learner.trainer.state() if learner.trained.interferes else ({}, {})
    rows = learner.store.connection.execute(
        "SELECT id, weights FROM adapters ORDER BY id"
    ).fetchall()
    return (
        numbers,
        to_bytes(tensors),
        values,
        [tuple(row) for row in rows],
        learner.memory.entries(),
        learner.turns,
    )


@RECIPES
def test_resuming_gives_the_same_next_turn_as_not_having_stopped(new_learner, tmp_path, changes):
    straight = new_learner(tmp_path / "straight.sqlite", **changes)
    tell(straight, TEXTS)
    expected = outcome(straight, tell(straight, [LAST]))

    for part in (TEXTS[:1], TEXTS[1:]):
        stopped = new_learner(tmp_path / "stopped.sqlite", **changes)
        tell(stopped, part)
        stopped.close()
    random.seed(99)
    resumed = new_learner(tmp_path / "stopped.sqlite", **changes)
    assert outcome(resumed, tell(resumed, [LAST])) == expected


def test_another_seed_would_give_another_turn(new_learner):
    """What makes the test above one that can fail."""
    results = []
    for seed in (0, 1):
        learner = new_learner(seed=seed)
        results.append(outcome(learner, tell(learner, TEXTS)))
    assert results[0] != results[1]


TEACHING = """
import sys
from dataclasses import replace
from itertools import count
from fledgling.settings import load_config
from fledgling.facts.learner import OnlineLearner, GateReaders
from fledgling.facts.flow import learn
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model
from fledgling.core.records import Turn

store, adapters = sys.argv[1:]
config = load_config(overrides={
    "language.judge": "rules", "facts.adapter.start": "aligned", "facts.learning.rows": "rendered",
    "facts.adapter.first_layer": 1, "facts.adapter.rank": 2, "facts.adapter.alpha": 4.0,
    "facts.adapter.targets": ["gate_proj", "up_proj", "down_proj"], "facts.prefix.first_layer": 1,
    "facts.learning.placement": adapters,
    "facts.learning.max_rows": 3, "facts.learning.max_updates": 3, "facts.learning.stop_loss": 0.0,
    "facts.kl.weight": 0.0, "facts.guard.enabled": False})
loaded = replace(tiny_model(), max_new_tokens=2)
readers = GateReaders(WordEmbedder(), WordOverlap())
learner = OnlineLearner(loaded, config.facts, config.language, readers=readers, store=store)
for number in count():
    for record in learn(learner, [Turn(f"Person{number} lives in Oslo.")], reply=False):
        print(number, record.event, flush=True)
"""


def kill_while_teaching(store, adapters, after):
    """Teach in another process and kill it ``after`` seconds into its third turn. Returns the turns
    it finished.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", TEACHING, str(store), adapters],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        lines = []
        for line in process.stdout:
            lines.append(line.split())
            if lines[-1][0] == "2":
                break
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        lines += [line.split() for line in process.stdout]
    finished = [int(line[0]) for line in lines if len(line) == 2 and line[1] == "turn"]
    return len(finished)


@pytest.mark.parametrize(
    ("adapters", "after"), [("prefix", 0.0), ("per_fact", 0.0), ("shared", 0.003), ("shared", 0.05)]
)
def test_a_kill_loses_at_most_the_turn_in_flight(new_learner, tmp_path, adapters, after):
    store = tmp_path / "killed.sqlite"
    finished = kill_while_teaching(store, adapters, after)
    changes = {
        "facts.learning.placement": adapters,
        "facts.learning.max_updates": 3,
        "facts.kl.weight": 0.0,
        "facts.guard.enabled": False,
    }
    learner = new_learner(store, **changes)
    assert learner.store.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    told = [fact.text for fact in learner.memory.all()]
    assert finished >= 2 and len(told) in (finished, finished + 1)
    assert told == [f"Person{number} lives in Oslo." for number in range(len(told))]
    assert learner.turns == len(told)
    stored = {row[0] for row in learner.store.connection.execute("SELECT id FROM adapters")}
    assert stored == (set() if adapters == "shared" else {fact.id for fact in learner.memory.all()})
    assert len(learner.gate) == len(told)
    tell(learner, [LAST])
    assert len(learner.memory) == len(told) + 1


@pytest.mark.parametrize("adapters", ["prefix", "per_fact", "shared"])
def test_what_a_killed_turn_left_is_what_was_there_before_it(new_learner, tmp_path, adapters):
    """A copy of the store taken between any two records of a turn opens as before or after the
    turn, never between.
    """
    store = tmp_path / "s.sqlite"
    learner = new_learner(store, **{"facts.learning.placement": adapters})
    tell(learner, TEXTS[:1])
    seen = []
    for place, record in enumerate(learn(learner, [Turn(TEXTS[1])])):
        with contextlib.closing(sqlite3.connect(store)) as beside:  # sees what is committed
            beside.execute("VACUUM INTO ?", (str(tmp_path / f"copy-{place}.sqlite"),))
        copy = new_learner(
            tmp_path / f"copy-{place}.sqlite", **{"facts.learning.placement": adapters}
        )
        seen.append((record.event, len(copy.memory), copy.turns, to_bytes(copy.trainer.state()[0])))
    before = [entry[1:] for entry in seen if entry[0] != "turn"]
    after = [entry[1:] for entry in seen if entry[0] == "turn"]
    assert len(before) == 5 and len(set(before)) == 1 and before[0][:2] == (1, 1)
    assert len(after) == 1 and after[0][:2] == (2, 2)
