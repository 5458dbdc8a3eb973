"""Teachers behind an OpenAI-compatible endpoint: NVIDIA NIM, vLLM, Ollama, llama.cpp, or any other
such server.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import openai
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from fledgling.teachers.answers import Answer, failure
from fledgling.teachers.error_shapes import (
    BAD_REPLY,
    NO_KEY,
    TIMEOUT,
    Fault,
    TeacherFault,
    classify_exception,
    describe,
    redact,
)
from fledgling.teachers.limits import CircuitBreaker, RateBudget
from fledgling.teachers.settings import EndpointSection, RetrySection

log = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine, where no proxy can reach it."""
    return urlsplit(url).hostname in _LOOPBACK


@dataclass
class _Progress:
    """How far one question has come, for the report when time runs out."""

    sent: bool = False
    fault: Fault | None = None


class EndpointTeacher:
    """One model on one server. The key is read from the environment when a client is made and kept
    nowhere else.

    ``budget`` and ``gate`` (a semaphore for open requests) are shared by the teachers of one server
    and key.
    """

    def __init__(
        self,
        section: EndpointSection,
        retry: RetrySection,
        *,
        breaker: CircuitBreaker,
        budget: RateBudget,
        gate: asyncio.Semaphore,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.name = section.name
        self.section = section
        self.breaker = breaker
        self.budget = budget
        self._retry = retry
        self._gate = gate
        self._environment = environment
        self._client: openai.AsyncOpenAI | None = None

    async def answer(self, question: str, *, timeout: float) -> Answer:
        """Ask, retrying what is worth it, within ``timeout`` seconds."""
        started = time.monotonic()
        if not self.breaker.allow():
            return failure(self.name, f"not asked: {self.breaker.reason}")
        progress = _Progress()
        try:
            async with asyncio.timeout(timeout):
                answer = await self._retrying(question, progress)
        except TeacherFault as error:
            return self._report(error.fault, started)
        except TimeoutError:
            if not progress.sent:  # the model is not to blame
                self.breaker.release()
                return failure(
                    self.name,
                    "timeout: waiting for the rate budget",
                    seconds=time.monotonic() - started,
                )
            silent = replace(TIMEOUT, detail=f"no reply within {timeout:.1f} s")
            return self._report(progress.fault or silent, started)
        except asyncio.CancelledError:
            self.breaker.release()
            raise
        self.breaker.succeed()
        return replace(answer, latency_ms=(time.monotonic() - started) * 1000)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _report(self, fault: Fault, started: float) -> Answer:
        if fault.trips:
            self.breaker.fail(lasting=describe(fault) if fault.lasting else "")
        else:
            self.breaker.release()
        log.info("%s: %s", self.name, describe(fault))
        return failure(self.name, describe(fault), seconds=time.monotonic() - started)

    async def _retrying(self, question: str, progress: _Progress) -> Answer:
        jitter = wait_random_exponential(
            multiplier=self._retry.base_s, max=self._retry.cap_s
        )  # full jitter

        def pause(state: RetryCallState) -> float:
            asked = getattr(state.outcome.exception(), "fault", None) if state.outcome else None
            return max(jitter(state), (asked.retry_after_s or 0.0) if asked else 0.0)

        attempts = AsyncRetrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, TeacherFault) and error.fault.retry
            ),
            stop=stop_after_attempt(self._retry.attempts),
            wait=pause,
            reraise=True,
        )
        return await attempts(self._call, question, progress)

    async def _call(self, question: str, progress: _Progress) -> Answer:
        async with self._gate:
            await self.budget.take()
            progress.sent, progress.fault = True, None
            try:
                async with asyncio.timeout(self._retry.call_timeout_s):
                    return self._read(await self._request(question))
            except TimeoutError:
                progress.fault = replace(
                    TIMEOUT, detail=f"no reply within {self._retry.call_timeout_s:.1f} s"
                )
                raise TeacherFault(progress.fault) from None
            except TeacherFault as error:
                progress.fault = error.fault
                raise

    async def _request(self, question: str) -> openai.types.chat.ChatCompletion:
        try:
            return await self._connected().chat.completions.create(
                model=self.section.model,
                messages=[{"role": "user", "content": question}],
                temperature=self.section.temperature,
                max_tokens=self.section.max_tokens,
                logprobs=True if self.section.logprobs else openai.omit,
            )
        except openai.APIError as error:
            raise TeacherFault(
                classify_exception(error)
            ) from None  # the cause may quote the request
        except ValueError as error:  # a body that is not JSON under status 200
            raise TeacherFault(replace(BAD_REPLY, detail=redact(str(error))[:200])) from None

    def _connected(self) -> openai.AsyncOpenAI:
        if self._client is None:
            key = (
                self._environment.get(self.section.key_variable, "")
                if self.section.key_variable
                else ""
            )
            if not key and self.section.needs_key:
                raise TeacherFault(
                    replace(NO_KEY, detail=f"{self.section.key_variable or 'key'} is not set")
                )
            direct = is_loopback(self.section.base_url)
            transport = openai.DefaultAsyncHttpxClient(trust_env=False) if direct else None
            self._client = openai.AsyncOpenAI(
                base_url=self.section.base_url,
                api_key=key or "none",
                max_retries=0,
                http_client=transport,
            )
        return self._client

    def _read(self, completion: openai.types.chat.ChatCompletion) -> Answer:
        choices = getattr(completion, "choices", None)
        text = (choices[0].message.content or "").strip() if choices and choices[0].message else ""
        if not text:
            raise TeacherFault(replace(BAD_REPLY, detail="the completion is empty"))
        usage = completion.usage
        return Answer(
            text,
            self.name,
            confidence=self._confidence(choices[0]),
            tokens=usage.completion_tokens if usage else 0,
        )

    def _confidence(self, choice: openai.types.chat.chat_completion.Choice) -> float:
        """Mean token probability where the server tells, else the configured stand-in."""
        told = choice.logprobs.content if choice.logprobs and choice.logprobs.content else None
        if not told:
            return self.section.confidence
        return sum(math.exp(min(token.logprob, 0.0)) for token in told) / len(told)
