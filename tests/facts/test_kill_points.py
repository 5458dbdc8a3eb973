"""Killed at any statement of a turn, before its commit and between its facts, a store holds what it
held before the turn, and telling the turn again gives what an undisturbed run gives.

A killed process leaves its files as they are at that moment, so they are copied at each point;
``test_resume`` kills real processes.
"""

import hashlib
import shutil

from fledgling.core.records import Turn
from fledgling.facts.flow import learn

POINTS = 100
TURNS = ["Lena lives in Oslo.", "Omar works at Nokia. My bike is red.", "Lena moved to Rome."]
SMALL = {
    "facts.learning.max_rows": 2,
    "facts.learning.max_updates": 1,
    "facts.kl.weight": 0.0,
    "facts.guard.enabled": False,
    "facts.memory.capacity": 3,
}


def tell(learner, texts):
    for text in texts:
        list(learn(learner, [Turn(text)], reply=False))


def digest(learner):
    rows = []
    for table in ("facts", "adapters", "states"):
        found = learner.store.connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
        rows += [tuple(row) for row in found]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def copied(store, folder):
    folder.mkdir()
    for path in (store, store.with_name(f"{store.name}-wal")):
        if path.exists():
            shutil.copy(path, folder / path.name)
    return folder / store.name


def test_a_hundred_points_of_kill(new_learner, tmp_path):
    store, left = tmp_path / "told.sqlite", []
    learner = new_learner(store, **SMALL)
    states = [digest(learner)]
    learner.store.connection.set_trace_callback(
        lambda _: left.append(copied(store, tmp_path / str(len(left))))
    )
    for text in TURNS:
        tell(learner, [text])
        learner.store.connection.set_trace_callback(None)
        states.append(digest(learner))
        learner.store.connection.set_trace_callback(
            lambda _: left.append(copied(store, tmp_path / str(len(left))))
        )
    assert len(set(states)) == len(states)  # each turn changes something
    assert len(left) >= POINTS
    learner.close()

    turns = set()
    for number in range(POINTS):
        again = new_learner(left[number * len(left) // POINTS], **SMALL)
        assert digest(again) == states[again.turns]  # nothing half-done
        turns.add(again.turns)
        tell(again, TURNS[again.turns :])
        assert digest(again) == states[-1]
        again.close()
    assert turns == {0, 1, 2}
