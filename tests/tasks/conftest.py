"""A small multi-task setting that trains in a second."""

import pytest

from fledgling.core.layers import load_config
from fledgling.tasks.experiments import Setting, prepare_setting

SMALL = {
    "multitask.data.train_per_skill": 20, "multitask.data.held_out_per_skill": 4, "multitask.epochs": 2,
    "multitask.updates_per_epoch": 2, "multitask.batch_size": 8, "multitask.ewc_examples": 4,
    "multitask.graph.hidden": 16, "multitask.graph.feed_forward": 16, "multitask.graph.heads": 2,
}


@pytest.fixture(scope="session")
def setting() -> Setting:
    """Kindergarten and math with 20 exercises a skill and a 16-wide model."""
    return prepare_setting(load_config(overrides=SMALL).multitask, seed=0)
