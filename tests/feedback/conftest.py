"""What the feedback tests share: the section, and a few conversations."""

import pytest

from fledgling.core.layers import override
from fledgling.feedback.examples import ChatExample
from fledgling.settings import load_config


@pytest.fixture(scope="session")
def section():
    return load_config().feedback


@pytest.fixture(scope="session")
def language():
    return load_config().language


@pytest.fixture
def training(section):
    """A training of a few quick steps: two projections, four rows an update, no dropout."""
    changes = {
        "epochs": 2,
        "accumulation": 2,
        "lr": 0.01,
        "lora.targets": ["q_proj", "v_proj"],
        "lora.dropout": 0.0,
        "checkpoint_seconds": 1e-6,
    }
    return override(section.training, changes)


def chat(question: str, reply: str, weight: float = 1.0) -> ChatExample:
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": reply})
    return ChatExample(messages, weight)


@pytest.fixture
def sums():
    """Eight small sums."""
    return [chat(f"{number} + {number}?", str(2 * number)) for number in range(8)]
