"""A small study that trains in a second."""

import pytest

from fledgling.settings import load_config
from fledgling.tasks.study import Study, prepare_study

SMALL = {
    "tasks.data.train_per_skill": 20,
    "tasks.data.held_out_per_skill": 4,
    "tasks.epochs": 2,
    "tasks.updates_per_epoch": 2,
    "tasks.batch_size": 8,
    "tasks.ewc_examples": 4,
    "tasks.experiment.epochs": 2,
    "tasks.graph.hidden": 16,
    "tasks.graph.feed_forward": 16,
    "tasks.graph.heads": 2,
}


@pytest.fixture(scope="session")
def small() -> dict[str, object]:
    """Overrides that make a run small."""
    return dict(SMALL)


@pytest.fixture(scope="session")
def study() -> Study:
    """Kindergarten and math with 20 exercises a skill and a 16-wide model."""
    return prepare_study(load_config(overrides=SMALL).tasks, seed=0)
