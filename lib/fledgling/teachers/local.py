"""Local teachers: personas, temperatures or adapters of one model that answer together in one
batch, offline.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import LogitsProcessor, LogitsProcessorList

from fledgling.core.errors import FledglingError, ModelError
from fledgling.core.records import Answer
from fledgling.models.generation import chat_text, cut_middle, reply
from fledgling.models.loading import LoadedModel
from fledgling.teachers.base import failure
from fledgling.teachers.settings import LocalTeacherSection

log = logging.getLogger(__name__)
_GATHER_S = 0.002  # teachers of one question arrive within this time of each other
_LONGEST_PROMPT = 512


@dataclass(frozen=True)
class Spoken:
    """A generated answer, its number of tokens and their mean probability under the untempered
    model.
    """

    text: str
    tokens: int
    confidence: float


@dataclass(frozen=True)
class _Request:
    question: str
    teacher: LocalTeacherSection
    spoken: asyncio.Future[Spoken]


class LocalEngine:
    """Gathers what the local teachers are asked at one time and generates it as one batch in a
    worker thread.
    """

    def __init__(
        self, loaded: LoadedModel, *, max_new_tokens: int, seed: int = 0, batch_size: int = 16
    ) -> None:
        self.loaded = loaded
        self.batches: list[int] = []  # sizes of the latest batches, for tests and figures
        self._max_new_tokens = max_new_tokens
        self._random = torch.Generator().manual_seed(seed)
        self._batch_size = batch_size
        self._waiting: list[_Request] = []
        self._worker: asyncio.Task[None] | None = None

    async def speak(self, question: str, teacher: LocalTeacherSection) -> Spoken:
        """The answer of one persona; batched with whatever else is asked now."""
        loop = asyncio.get_running_loop()
        request = _Request(question, teacher, loop.create_future())
        self._waiting.append(request)
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await request.spoken

    async def _work(self) -> None:
        await asyncio.sleep(_GATHER_S)
        while self._waiting:
            adapter = self._waiting[0].teacher.adapter
            fitting = [request for request in self._waiting if request.teacher.adapter == adapter]
            batch = fitting[: self._batch_size]
            self._waiting = [request for request in self._waiting if request not in batch]
            batch = [
                request for request in batch if not request.spoken.done()
            ]  # given up meanwhile
            if not batch:
                continue
            self.batches = [*self.batches[-99:], len(batch)]
            try:
                spoken = await asyncio.to_thread(
                    self.generate, [r.question for r in batch], [r.teacher for r in batch]
                )
            except (FledglingError, RuntimeError) as error:
                for request in batch:
                    _settle(request.spoken, error)
                continue
            for request, result in zip(batch, spoken, strict=True):
                _settle(request.spoken, result)

    @torch.no_grad()
    def generate(self, questions: list[str], teachers: list[LocalTeacherSection]) -> list[Spoken]:
        """One batch: row i is teacher i's answer to question i. All teachers share one adapter."""
        self._use(teachers[0].adapter)
        tokenizer, model, device = self.loaded.tokenizer, self.loaded.model, self.loaded.device
        texts = [
            chat_text(self.loaded, question, teacher.persona or None)
            for question, teacher in zip(questions, teachers, strict=True)
        ]
        rows = [
            cut_middle(tokenizer(text, add_special_tokens=False)["input_ids"], _LONGEST_PROMPT)
            for text in texts
        ]
        width, pad = max(len(row) for row in rows), tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=device)
        mask = torch.tensor(
            [[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device
        )
        temperatures = torch.tensor([teacher.temperature for teacher in teachers], device=device)
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=self._max_new_tokens,
            do_sample=False,
            pad_token_id=pad,
            temperature=None,
            top_p=None,
            top_k=None,
            return_dict_in_generate=True,
            output_logits=True,
            logits_processor=LogitsProcessorList([RowTemperatures(temperatures, self._random)]),
        )
        return self._read(output.sequences[:, width:], torch.stack(output.logits, dim=1))

    def _read(self, tokens: torch.Tensor, logits: torch.Tensor) -> list[Spoken]:
        """``tokens`` (B, T) and the raw ``logits`` (B, T, V) behind them → answers."""
        chosen = (
            torch.log_softmax(logits.float(), dim=-1)
            .gather(2, tokens.unsqueeze(2))
            .squeeze(2)
            .exp()
        )  # (B, T)
        ended = tokens == self.loaded.tokenizer.eos_token_id
        counted = ended.int().cumsum(dim=1) - ended.int() == 0  # up to and with the first end
        confidence = (chosen * counted).sum(1) / counted.sum(1)
        texts = self.loaded.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [
            Spoken(text.strip(), int(count), float(sure))
            for text, count, sure in zip(texts, counted.sum(1), confidence, strict=True)
        ]

    def _use(self, adapter: str) -> None:
        """Switch the model to a teacher's adapter folder, loading it on first use; empty means the
        plain model.
        """
        model = self.loaded.model
        if not adapter and getattr(model, "_hf_peft_config_loaded", False):
            model.disable_adapters()
        elif adapter:
            name = "teacher_" + "".join(sign if sign.isalnum() else "_" for sign in adapter)
            try:
                if name not in getattr(model, "peft_config", {}):
                    model.load_adapter(adapter, adapter_name=name)
            except (OSError, ValueError) as error:
                raise ModelError(
                    f"the teacher adapter {adapter!r} cannot be loaded: {error}; "
                    "give a LoRA folder saved with save_pretrained"
                ) from error
            model.enable_adapters()
            model.set_adapter(name)


class RowTemperatures(LogitsProcessor):
    """A temperature for each row: Gumbel noise makes the greedy choice a sample from softmax(logits
    / temperature).
    """

    def __init__(self, temperatures: torch.Tensor, random: torch.Generator) -> None:
        self._temperatures = temperatures.unsqueeze(1)  # (B, 1)
        self._random = random

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores (B, V) → scores whose argmax is the sampled token; rows at temperature 0 stay
        greedy.
        """
        if not bool((self._temperatures > 0).any()):
            return scores
        uniform = (
            torch.rand(scores.shape, generator=self._random)
            .clamp_(1e-9, 1 - 1e-9)
            .to(scores.device)
        )
        return scores - torch.log(-torch.log(uniform)) * self._temperatures


class LocalTeacher:
    """A persona on the shared engine; ``confidence`` is the mean token probability."""

    def __init__(self, section: LocalTeacherSection, engine: LocalEngine) -> None:
        self.name = section.name
        self.section = section
        self._engine = engine

    async def answer(self, question: str, *, timeout: float) -> Answer:
        """Answer within ``timeout`` seconds; a batch that takes longer is finished but not waited
        for.
        """
        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                spoken = await self._engine.speak(question, self.section)
        except TimeoutError:
            return failure(
                self.name,
                f"timeout: no answer within {timeout:.1f} s",
                seconds=time.monotonic() - started,
            )
        except (FledglingError, RuntimeError) as error:
            log.warning("%s failed: %s", self.name, error)
            return failure(self.name, f"local: {error}", seconds=time.monotonic() - started)
        return Answer(
            spoken.text,
            self.name,
            spoken.confidence,
            spoken.tokens,
            (time.monotonic() - started) * 1000,
        )

    async def close(self) -> None:
        """Nothing to close: the model stays with whoever loaded it."""


def combiner(loaded: LoadedModel, *, max_new_tokens: int) -> Callable[[str, list[str]], str]:
    """A function (question, answers) → one answer, written by the local model from the teachers'
    answers.
    """

    def combine(question: str, answers: list[str]) -> str:
        listed = "\n".join(f"- {answer}" for answer in answers)
        prompt = (
            f"Question: {question}\nAnswers from different people:\n{listed}\n"
            "Write the one answer that most of them support, in a single sentence."
        )
        return reply(loaded, prompt, max_new_tokens=max_new_tokens)

    return combine


def _settle(future: asyncio.Future[Spoken], result: Spoken | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
