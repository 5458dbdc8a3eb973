"""A learner small enough to teach in milliseconds: a random tiny model and a reader that goes by
shared words.
"""

from dataclasses import replace

import pytest

from fledgling.facts.learner import GateReaders, OnlineLearner
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model
from fledgling.settings import load_config, merge, parse_overrides

SMALL = {
    "adapter": {
        "rank": 2,
        "alpha": 4.0,
        "dropout": 0.0,
        "first_layer": 1,
        "last_layer": -1,
        "targets": ["gate_proj", "up_proj", "down_proj"],
        "start": "aligned",
    },
    "learning": {
        "placement": "per_fact",
        "rows": "rendered",
        "lr": 1e-2,
        "max_updates": 2,
        "max_rows": 3,
        "stop_loss": 0.0,
        "own_replies": False,
    },
    "prefix": {"first_layer": 1},
    "token_weights": {"filler": 0.7, "by_row": False},
    "kl": {"weight": 0.2, "anchors": 2, "contrast": 2, "answer_tokens": 3, "hold_budget": False},
    "replay": {"rows": 0, "strategy": "mixed", "weight": 0.5},
    "guard": {
        "enabled": True,
        "kl_budget": 50.0,
        "anchors": 4,
        "recheck_facts": 2,
        "loss_margin": 50.0,
        "retries": 1,
        "shrink": 0.5,
    },
    "gate": {"enabled": True, "threshold": 0.6, "candidates": 4},
    "memory": {"capacity": 50},
}


@pytest.fixture
def small_config():
    """``small_config(**{"facts.learning.lr": …})``: sizes for the tiny model, with changes by
    dotted key.
    """
    return lambda **changes: load_config(
        overrides=merge({"language": {"judge": "rules"}, "facts": SMALL}, parse_overrides(changes))
    )


@pytest.fixture
def new_learner(small_config):
    """``new_learner(store, **changes)``: a learner on a tiny model of its own, closed at the
    end.
    """
    opened = []

    def build(store=":memory:", *, seed=0, loaded=None, **changes):
        config = small_config(**{"models.max_length": 96, "models.max_new_tokens": 4, **changes})
        loaded = replace(
            loaded or tiny_model(),
            max_length=config.models.max_length,
            max_new_tokens=config.models.max_new_tokens,
        )
        readers = GateReaders(WordEmbedder(), WordOverlap())
        opened.append(
            OnlineLearner(
                loaded, config.facts, config.language, readers=readers, store=store, seed=seed
            )
        )
        return opened[-1]

    yield build
    for learner in opened:
        learner.store.close()
