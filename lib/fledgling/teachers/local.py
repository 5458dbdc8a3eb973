"""Local teachers: personas, temperatures or adapters of one model that answer together in one
batch, offline.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from transformers import LogitsProcessor, LogitsProcessorList

from fledgling.core.errors import ModelError
from fledgling.models.generation import cut_middle
from fledgling.models.loading import LoadedModel
from fledgling.teachers.answers import Answer, Query, failure
from fledgling.teachers.settings import GenerationSection, LocalTeacherSection

log = logging.getLogger(__name__)
_SMALLEST = 1e-9  # keeps the logarithms of the Gumbel noise finite


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
    query: Query
    teacher: LocalTeacherSection
    spoken: asyncio.Future[Spoken]


class LocalEngine:
    """Gathers what the local teachers are asked at one time and generates it as one batch in a
    worker thread.
    """

    def __init__(self, loaded: LoadedModel, section: GenerationSection, *, seed: int = 0) -> None:
        self.loaded = loaded
        self._section = section
        self._random = torch.Generator().manual_seed(seed)
        self._waiting: list[_Request] = []
        self._worker: asyncio.Task[None] | None = None

    async def speak(self, query: Query, teacher: LocalTeacherSection) -> Spoken:
        """The answer of one persona; batched with whatever else is asked now."""
        loop = asyncio.get_running_loop()
        request = _Request(query, teacher, loop.create_future())
        self._waiting.append(request)
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await request.spoken

    async def _work(self) -> None:
        await asyncio.sleep(self._section.gather_s)
        while batch := self._next_batch():
            queries = [request.query for request in batch]
            teachers = [request.teacher for request in batch]
            try:
                spoken = await asyncio.to_thread(self.generate, queries, teachers)
            except Exception as error:  # whoever asked must hear of it, whatever it is
                for request in batch:
                    if not request.spoken.done():
                        request.spoken.set_exception(error)
                continue
            for request, result in zip(batch, spoken, strict=True):
                if not request.spoken.done():
                    request.spoken.set_result(result)

    def _next_batch(self) -> list[_Request]:
        """The waiting requests for one adapter, without those given up meanwhile."""
        waiting = [request for request in self._waiting if not request.spoken.done()]
        adapter = waiting[0].teacher.adapter if waiting else ""
        fitting = [request for request in waiting if request.teacher.adapter == adapter]
        batch = fitting[: self._section.batch_size]
        self._waiting = [request for request in waiting if request not in batch]
        return batch

    @torch.no_grad()
    def generate(self, queries: list[Query], teachers: list[LocalTeacherSection]) -> list[Spoken]:
        """One batch: row i is teacher i's answer to query i. All teachers share one adapter."""
        self._use(teachers[0].adapter)
        tokenizer, model, device = self.loaded.tokenizer, self.loaded.model, self.loaded.device
        rows = [
            self._encode(query.messages(teacher.persona))
            for query, teacher in zip(queries, teachers, strict=True)
        ]
        width, pad = max(len(row) for row in rows), tokenizer.pad_token_id
        gaps = [width - len(row) for row in rows]  # on the left: all answers begin together
        padded = [[pad] * gap + row for gap, row in zip(gaps, rows, strict=True)]
        ids = torch.tensor(padded, device=device)
        mask = torch.tensor([[0] * gap + [1] * (width - gap) for gap in gaps], device=device)
        temperatures = torch.tensor([teacher.temperature for teacher in teachers], device=device)
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=self._section.max_new_tokens,
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

    def _encode(self, messages: list[dict[str, str]]) -> list[int]:
        """The conversation as token ids, up to where the answer begins."""
        tokenizer = self.loaded.tokenizer
        control = tokenizer.get_added_vocab()
        plain = [turn | {"content": _spelled_out(turn["content"], control)} for turn in messages]
        text = tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        return cut_middle(ids, self._section.prompt_tokens)

    def _read(self, tokens: torch.Tensor, logits: torch.Tensor) -> list[Spoken]:
        """``tokens`` (B, T) and the raw ``logits`` (B, T, V) behind them → answers."""
        likely = torch.softmax(logits.float(), dim=-1)  # (B, T, V)
        chosen = likely.gather(2, tokens.unsqueeze(2)).squeeze(2)  # (B, T)
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
        # drawn on the CPU, so that a seed gives the same answer on every device
        uniform = torch.rand(scores.shape, generator=self._random).to(scores.device)
        uniform = uniform.clamp_(_SMALLEST, 1 - _SMALLEST)
        return scores - torch.log(-torch.log(uniform)) * self._temperatures


class LocalTeacher:
    """A persona on the shared engine; ``confidence`` is the mean token probability."""

    def __init__(self, section: LocalTeacherSection, engine: LocalEngine) -> None:
        self.name = section.name
        self.section = section
        self._engine = engine

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        """Answer within ``timeout`` seconds; a batch that takes longer is finished but not waited
        for.
        """
        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                spoken = await self._engine.speak(query, self.section)
        except TimeoutError:
            said = f"timeout: no answer within {timeout:.1f} s"
            return failure(self.name, said, seconds=time.monotonic() - started)
        except Exception as error:  # a fault of one teacher is an answer, never the pool's end
            log.warning("%s failed: %s", self.name, error)
            return failure(self.name, f"local: {error}", seconds=time.monotonic() - started)
        taken = (time.monotonic() - started) * 1000
        return Answer(spoken.text, self.name, spoken.confidence, spoken.tokens, taken)


def _spelled_out(text: str, control: Iterable[str]) -> str:
    """What somebody said is text: a control token written in it must not become one."""
    for token in control:
        text = text.replace(token, f"{token[:1]} {token[1:]}")
    return text
