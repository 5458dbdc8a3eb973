"""Teachers that need no model and no key: pools that agree, disagree, split, err together, fail or
stall.

Whether a mock is right is drawn from a Gaussian copula: ``accuracy`` sets how often each is right,
``correlation`` how far the pool's errors come together. What a mock knows depends only on seed,
question and name, never on the order of asking; whether a call fails or stalls also on how often
that question was asked before.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA
from fledgling.teachers.answers import Answer, Query, failure
from fledgling.teachers.settings import MockManner


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
            quiz.append(QuizQuestion(**row | {"wrong": tuple(row["wrong"])}))
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{path} line {number}: a quiz question needs id, question, answer, sentence and"
                f" wrong ({error})"
            ) from error
    return quiz


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
        bare: bool = False,
    ) -> None:
        """``bare``: says the answer alone instead of a sentence."""
        self.name = name
        self.manner = manner
        self._asked: Counter[str] = Counter()  # how often each question was asked
        self._quiz = {question.question: question for question in quiz}
        self._seed = seed
        self._bare = bare

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        """Answer, fail or stall."""
        self._asked[query.text] += 1
        times = str(self._asked[query.text])
        manner, random = self.manner, self._random("manner", query.text, times)
        fails, stalls = random.random() < manner.failing, random.random() < manner.stalling
        latency = manner.latency_s * random.uniform(1 - manner.jitter, 1 + manner.jitter)
        seconds = min(manner.stall_s if stalls else latency, timeout)
        await asyncio.sleep(seconds)
        if stalls and manner.stall_s >= timeout:
            return failure(self.name, "timeout: the mock stalled", seconds=timeout)
        if fails:
            return failure(self.name, "server: the mock failed", seconds=latency)
        return self.say(query.text, latency_ms=latency * 1000)

    def say(self, question: str, *, latency_ms: float = 0.0) -> Answer:
        """What this mock thinks, at once."""
        known = self._quiz.get(question)
        if known is None:
            return Answer("I do not know.", self.name, 0.0, 4, latency_ms)
        right = self.is_right(question)
        said = known.answer if right else self._error(known)
        usual = self.manner.sure_right if right else self.manner.sure_wrong
        sure = self._random("sure", question).normal(usual, self.manner.sure_spread)
        text = said if self._bare else known.sentence.format(said)
        tokens = len(text.split())
        return Answer(text, self.name, float(np.clip(sure, 0.0, 1.0)), tokens, latency_ms)

    def is_right(self, question: str) -> bool:
        """Drawn once and for all for this seed, name and question."""
        shared = _random(self._seed, "shared", question).normal()
        own = _random(self._seed, "own", self.name, question).normal()
        rho = self.manner.correlation
        return bool(np.sqrt(rho) * shared + np.sqrt(1 - rho) * own < ndtri(self.manner.accuracy))

    def _error(self, known: QuizQuestion) -> str:
        """The common misconception where errors are shared, else an error of one's own."""
        random = self._random("error", known.question)
        shared = random.random() < self.manner.correlation
        return known.wrong[0] if shared else known.wrong[int(random.integers(len(known.wrong)))]

    def _random(self, purpose: str, *parts: str) -> np.random.Generator:
        return _random(self._seed, purpose, self.name, *parts)


class FixedTeacher:
    """Always gives the text it was made with: for pools whose disagreement is part of the
    lesson.
    """

    def __init__(self, name: str, text: str, *, confidence: float = 0.8) -> None:
        self.name = name
        self._answer = Answer(text, name, confidence, len(text.split()))

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        return self._answer


def mock_pool(
    quiz: Sequence[QuizQuestion], *manners: MockManner, size: int = 3, seed: int = 0
) -> list[MockTeacher]:
    """``size`` mocks; the first have the given manners in turn, the others the last one. Each third
    answers without a sentence.
    """
    chosen = [*manners[:size], *[manners[-1]] * (size - len(manners))]
    return [
        MockTeacher(f"mock_{number}", quiz, manner, seed=seed, bare=number % 3 == 0)
        for number, manner in enumerate(chosen, start=1)
    ]


def _random(seed: int, *parts: str) -> np.random.Generator:
    digest = hashlib.blake2b("\x1f".join((str(seed), *parts)).encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
