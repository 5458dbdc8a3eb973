"""What the feedback tests share: the section, and a few conversations."""

import threading
from collections.abc import Callable, Iterator

import pytest

from fledgling.core.errors import RunError
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


@pytest.fixture
def refused_beside() -> Callable[[Iterator, Callable[[], object]], str]:
    """``refused_beside(running, other)``: what ``other`` is told on a thread of its own while
    ``running`` is at work.
    """

    def refused(running: Iterator, other: Callable[[], object]) -> str:
        next(running)
        told = []

        def start() -> None:
            try:
                other()
            except RunError as error:
                told.append(str(error))

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        running.close()
        return told[0]

    return refused
