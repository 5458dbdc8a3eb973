"""Sessions small enough to teach in milliseconds: a random tiny model, and a reader that goes by
shared words.
"""

from dataclasses import replace

import pytest

from fledgling.facts.learner import GateReaders
from fledgling.live.session import Session
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model
from fledgling.settings import load_config

SMALL = {
    "language.judge": "rules",
    "facts.adapter.rank": 2,
    "facts.adapter.first_layer": 1,
    "facts.adapter.start": "aligned",
    "facts.prefix.first_layer": 1,
    "facts.learning.rows": "rendered",
    "facts.learning.lr": 8e-3,
    "facts.learning.max_updates": 3,
    "facts.learning.max_rows": 3,
    "facts.learning.stop_loss": 0.0,
    "facts.guard.kl_budget": 50.0,
    "facts.guard.anchors": 2,
    "facts.guard.loss_margin": 50.0,
    "facts.gate.threshold": 0.6,
    "facts.gate.min_similarity": 0.0,
    "live.reply_tokens": 6,
    "live.longest_message": 2000,
    "live.plot_seconds": 0.0,
}


@pytest.fixture
def small_config():
    """``small_config(recipe, **changes)``: sizes for the tiny model."""
    return lambda recipe="default", **changes: load_config(
        recipe=recipe, overrides={**SMALL, **changes}
    )


@pytest.fixture
def open_session(small_config):
    """``open_session(folder, recipes=(…), **changes)``: a session on a tiny model of its own,
    closed at the end.
    """
    opened = []

    def build(folder=None, *, recipes=("default",), recipe="", model_seed=0, **changes):
        configs = {name: small_config(name, **changes) for name in recipes}
        config = configs[recipes[0]]
        sections = {name: one.facts for name, one in configs.items()}
        loaded = replace(tiny_model(model_seed), max_length=96)
        readers = GateReaders(WordEmbedder(), WordOverlap())
        parts = (loaded, sections, config.language, config.live)
        session = Session(*parts, readers=readers, folder=folder, recipe=recipe)
        opened.append(session)
        return session

    yield build
    for session in opened:
        session.close()
