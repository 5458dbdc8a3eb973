"""Teachers that need no model and no key: pools that agree, disagree, split, err together, fail or
stall.

Whether a mock is right is drawn from a Gaussian copula: ``accuracy`` sets how often each is right,
``correlation`` how far the pool's errors come together. What a mock knows depends only on seed,
question and name, never on the order of asking; whether a call fails or stalls also on how often it
was asked.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from fledgling.core.errors import ConfigError, DataError
from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA
from fledgling.core.records import Answer
from fledgling.teachers.base import failure


@dataclass(frozen=True)
class QuizQuestion:
    """A question whose answer is known. ``sentence`` holds ``{}`` where the answer goes; ``wrong``
    are rivals.
    """

    id: str
    question: str
    answer: str
    sentence: str
    wrong: tuple[str, ...]
    task: str = ""


def load_quiz(path: Path = DATA / "teachers" / "questions.jsonl") -> list[QuizQuestion]:
    """Read a quiz. Raises ``DataError`` naming the line that lacks something."""
    quiz = []
    for number, row in read_jsonl(path):
        try:
            quiz.append(
                QuizQuestion(
                    row["id"],
                    row["question"],
                    row["answer"],
                    row["sentence"],
                    tuple(row["wrong"]),
                    row.get("task", ""),
                )
            )
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{path} line {number}: a quiz question needs id, question, answer, sentence and"
                f" wrong ({error})"
            ) from error
    return quiz


@dataclass(frozen=True)
class MockManner:
    """How a mock behaves. ``latency_s`` is the median answer time, drawn with ±30%; a stall lasts
    ``stall_s``.
    """

    accuracy: float = 0.8
    correlation: float = 0.0
    failing: float = 0.0
    stalling: float = 0.0
    latency_s: float = 0.0
    stall_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("accuracy", "correlation", "failing", "stalling"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ConfigError(
                    f"a mock teacher's {name} is {value!r}; it must lie between 0 and 1"
                )


class MockTeacher:
    """Answers quiz questions, rightly or wrongly as its manner says; unknown questions it
    declines.
    """

    def __init__(
        self,
        name: str,
        quiz: Sequence[QuizQuestion],
        manner: MockManner,
        *,
        seed: int = 0,
        phrasing: int = 0,
    ) -> None:
        self.name = name
        self.manner = manner
        self.asked = 0
        self._quiz = {question.question: question for question in quiz}
        self._seed = seed
        self._phrasing = phrasing

    async def answer(self, question: str, *, timeout: float) -> Answer:
        """Answer, fail or stall."""
        self.asked += 1
        random = _random(self._seed, "manner", self.name, question, str(self.asked))
        fails, stalls = (
            random.random() < self.manner.failing,
            random.random() < self.manner.stalling,
        )
        latency = self.manner.latency_s * random.uniform(0.7, 1.3)
        await asyncio.sleep(min(self.manner.stall_s if stalls else latency, timeout))
        if stalls and self.manner.stall_s >= timeout:
            return failure(self.name, "timeout: the mock stalled", seconds=timeout)
        if fails:
            return failure(self.name, "server: the mock failed", seconds=latency)
        return self.say(question, latency_ms=latency * 1000)

    def say(self, question: str, *, latency_ms: float = 0.0) -> Answer:
        """What this mock thinks, at once."""
        known = self._quiz.get(question)
        if known is None:
            return Answer("I do not know.", self.name, 0.1, 4, latency_ms)
        right = self.is_right(question)
        said = known.answer if right else self._error(known)
        sure = _random(self._seed, "sure", self.name, question).normal(0.8 if right else 0.65, 0.1)
        sure = float(np.clip(sure, 0.0, 1.0))
        text = said if self._phrasing % 3 == 2 else known.sentence.format(said)
        return Answer(text, self.name, sure, len(text.split()), latency_ms)

    def is_right(self, question: str) -> bool:
        """Drawn once and for all for this seed, name and question."""
        shared = _random(self._seed, "shared", question).normal()
        own = _random(self._seed, "own", self.name, question).normal()
        rho = self.manner.correlation
        return bool(np.sqrt(rho) * shared + np.sqrt(1 - rho) * own < ndtri(self.manner.accuracy))

    def _error(self, known: QuizQuestion) -> str:
        """The common misconception where errors are shared, else an error of one's own."""
        random = _random(self._seed, "error", self.name, known.question)
        shared = random.random() < self.manner.correlation
        return known.wrong[0] if shared else known.wrong[int(random.integers(len(known.wrong)))]

    async def close(self) -> None:
        """Nothing to close."""


class FixedTeacher:
    """Always gives the text it was made with: for pools whose disagreement is part of the
    lesson.
    """

    def __init__(self, name: str, text: str, *, confidence: float = 0.8) -> None:
        self.name = name
        self._text = text
        self._confidence = confidence

    async def answer(self, question: str, *, timeout: float) -> Answer:
        return Answer(self._text, self.name, self._confidence, len(self._text.split()))

    async def close(self) -> None:
        """Nothing to close."""


def mock_pool(
    quiz: Sequence[QuizQuestion], manner: MockManner, *, size: int = 3, seed: int = 0
) -> list[MockTeacher]:
    """``size`` mocks of one manner. Independent or correlated, accurate or not: the manner says."""
    return [
        MockTeacher(f"mock_{place + 1}", quiz, manner, seed=seed, phrasing=place)
        for place in range(size)
    ]


def agreeing_pool(
    quiz: Sequence[QuizQuestion], *, size: int = 3, seed: int = 0
) -> list[MockTeacher]:
    """All right, each in its own words."""
    return mock_pool(quiz, MockManner(accuracy=1.0), size=size, seed=seed)


def disagreeing_pool(
    quiz: Sequence[QuizQuestion], *, size: int = 3, seed: int = 0
) -> list[MockTeacher]:
    """Rarely right, each with errors of its own."""
    return mock_pool(quiz, MockManner(accuracy=0.2), size=size, seed=seed)


def split_pool(quiz: Sequence[QuizQuestion], *, size: int = 3, seed: int = 0) -> list[MockTeacher]:
    """All but the last are right; the last never is."""
    right = mock_pool(quiz, MockManner(accuracy=1.0), size=size - 1, seed=seed)
    return [
        *right,
        MockTeacher(f"mock_{size}", quiz, MockManner(accuracy=0.0), seed=seed, phrasing=size - 1),
    ]


def biased_pool(
    quiz: Sequence[QuizQuestion], *, size: int = 3, accuracy: float = 0.6, seed: int = 0
) -> list[MockTeacher]:
    """Right together and wrong together, with the same misconception: unanimous, and no wiser for
    it.
    """
    return mock_pool(quiz, MockManner(accuracy=accuracy, correlation=1.0), size=size, seed=seed)


def failing_pool(
    quiz: Sequence[QuizQuestion], *, size: int = 3, rate: float = 0.3, seed: int = 0
) -> list[MockTeacher]:
    """Good, but a share ``rate`` of the calls fails."""
    return mock_pool(quiz, MockManner(accuracy=0.9, failing=rate), size=size, seed=seed)


def stalling_pool(
    quiz: Sequence[QuizQuestion],
    *,
    size: int = 3,
    rate: float = 0.3,
    latency_s: float = 0.02,
    seed: int = 0,
) -> list[MockTeacher]:
    """Good, but a share ``rate`` of the calls never comes back."""
    return mock_pool(
        quiz, MockManner(accuracy=0.9, stalling=rate, latency_s=latency_s), size=size, seed=seed
    )


def _random(seed: int, *parts: str) -> np.random.Generator:
    digest = hashlib.blake2b("\x1f".join((str(seed), *parts)).encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
