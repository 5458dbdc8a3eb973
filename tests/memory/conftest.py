import pytest

from fledgling.settings import load_config

TOLD = ("Tom is my friend.", "My sister lives in Oslo.", "My car is red.")
SMALL = {
    "language.judge": "rules",
    "facts.adapter.rank": 2,
    "facts.adapter.first_layer": 1,
    "facts.learning.max_updates": 2,
    "facts.kl.answer_tokens": 3,
    "facts.guard.enabled": True,
    "facts.guard.kl_budget": 50.0,
    "facts.guard.anchors": 4,
    "facts.guard.loss_margin": 50.0,
}


@pytest.fixture
def told():
    """Three turns that each state a fact."""
    return TOLD


@pytest.fixture
def small():
    """Overrides for the tiny model."""
    return dict(SMALL)


@pytest.fixture(scope="session")
def section():
    return load_config().memory
