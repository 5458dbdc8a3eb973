"""Teachers behind an OpenAI-compatible endpoint: NVIDIA NIM, vLLM, Ollama, llama.cpp, or any other
such server.

The wire is plain HTTP, read with a limit on its size; a reply is believed only as far as it makes
sense (``replies``), a refusal is classified (``error_shapes``), and whatever happens is told to the
breaker, so that no fault leaves a model unasked for longer than it lasts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from fledgling.teachers.answers import Answer, Query, failure
from fledgling.teachers.error_shapes import (
    BAD_REPLY,
    BUDGET,
    CONNECTION,
    NO_KEY,
    TIMEOUT,
    Fault,
    TeacherFault,
    classify,
    describe,
)
from fledgling.teachers.limits import CircuitBreaker, RateBudget, Spending
from fledgling.teachers.redaction import Secrets
from fledgling.teachers.replies import Completion, read_completion
from fledgling.teachers.settings import EndpointSection, TeachersSection

log = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MILLION = 1e6


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine, where no proxy can reach it."""
    return urlsplit(url).hostname in _LOOPBACK


@dataclass(frozen=True)
class Account:
    """What the teachers of one server and key share: the key, a rate budget, a gate for open
    requests; and what all endpoints share: the purse and the secrets to take out of what they say.
    """

    key: str = field(repr=False)
    budget: RateBudget
    gate: asyncio.Semaphore
    purse: Spending
    redact: Secrets


@dataclass
class _Asking:
    """One question on its way: until when, and how far it has come."""

    query: Query
    ends: float
    call_s: float
    sent: bool = False
    fault: Fault | None = None

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()


class EndpointTeacher:
    """One model on one server. Its calls are limited by its account and watched by its breaker."""

    def __init__(
        self,
        endpoint: EndpointSection,
        section: TeachersSection,
        *,
        breaker: CircuitBreaker,
        account: Account,
    ) -> None:
        self.name = endpoint.name
        self.endpoint = endpoint
        self.breaker = breaker
        self.account = account
        self._section = section
        self._client: httpx.AsyncClient | None = None

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        """Ask, retrying what is worth it, within ``timeout`` seconds."""
        started = time.monotonic()
        if not self.breaker.allow():
            return failure(self.name, f"not asked: {self.breaker.reason}")
        asking = _Asking(query, started + timeout, self._section.retry.call_share * timeout)
        try:
            async with asyncio.timeout(timeout):
                answer = await self._retrying(asking)
        except TeacherFault as error:
            return self._report(error.fault, started)
        except TimeoutError:
            if not asking.sent:  # the model is not to blame
                self.breaker.release()
                seconds = time.monotonic() - started
                return failure(self.name, "timeout: waiting for the rate budget", seconds=seconds)
            silent = replace(TIMEOUT, detail=f"no reply within {timeout:.1f} s")
            return self._report(asking.fault or silent, started)
        except asyncio.CancelledError:
            self.breaker.release()
            raise
        except Exception as error:  # the trial must end whatever a server does to us
            log.exception("%s: a reply that nobody foresaw", self.name)
            said = self.account.redact(f"{type(error).__name__}: {error}")
            return self._report(replace(BAD_REPLY, detail=said), started)
        self.breaker.succeed()
        return replace(answer, latency_ms=(time.monotonic() - started) * 1000)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _report(self, fault: Fault, started: float) -> Answer:
        """Tell the breaker, the log and the pool."""
        rules = self._section.breaker
        rest_s = (
            rules.lasting_s
            if fault.lasting
            else min(fault.retry_after_s or 0.0, rules.longest_rest_s)
        )
        if fault.trips:
            self.breaker.fail(describe(fault), rest_s=rest_s)
        else:
            self.breaker.release()
        log.info("%s: %s", self.name, describe(fault))
        return failure(self.name, describe(fault), seconds=time.monotonic() - started)

    async def _retrying(self, asking: _Asking) -> Answer:
        rules = self._section.retry
        # full jitter: clients that failed together do not come back together
        jitter = wait_random_exponential(multiplier=rules.base_s, max=rules.cap_s)

        def pause(state: RetryCallState) -> float:
            told = asking.fault.retry_after_s if asking.fault else None
            return max(jitter(state), told or 0.0)

        def is_worth_it(error: BaseException) -> bool:
            if not isinstance(error, TeacherFault) or not error.fault.retry:
                return False
            # a call that could not run its course would only burn what reserves need
            return asking.left - (error.fault.retry_after_s or 0.0) >= asking.call_s

        attempts = AsyncRetrying(
            retry=retry_if_exception(is_worth_it),
            stop=stop_after_attempt(rules.attempts),
            wait=pause,
            reraise=True,
        )
        return await attempts(self._call, asking)

    async def _call(self, asking: _Asking) -> Answer:
        account = self.account
        async with account.gate:
            await account.budget.take()
            asking.sent, asking.fault = True, None
            try:
                async with asyncio.timeout(asking.call_s):
                    return await self._paid(asking.query)
            except TimeoutError:
                late = replace(TIMEOUT, detail=f"no reply within {asking.call_s:.1f} s")
                asking.fault = late
                raise TeacherFault(late) from None
            except TeacherFault as error:
                asking.fault = error.fault
                raise

    async def _paid(self, query: Query) -> Answer:
        """One call, paid for: at most what it may cost is taken first, the rest given back."""
        rules, endpoint, purse = self._section.spending, self.endpoint, self.account.purse
        messages = query.messages(endpoint.system)
        characters = sum(len(message["content"]) for message in messages)
        guess = int(characters / rules.characters_a_token) + 1
        most = guess + endpoint.max_tokens
        if not purse.take(most, self._cost(guess, endpoint.max_tokens)):
            raise TeacherFault(replace(BUDGET, detail="not asked, today's is spent"))
        used_prompt, used = guess, endpoint.max_tokens  # without a reply: all of it may be billed
        try:
            said = await self._complete(messages)
            used_prompt = guess if said.prompt_tokens is None else said.prompt_tokens
            told = int(len(said.text) / rules.characters_a_token) + 1
            used = told if said.tokens is None else said.tokens
        except TeacherFault as error:
            if not error.fault.billed:
                used_prompt, used = 0, 0
            raise
        finally:
            over = self._cost(used_prompt, used) - self._cost(guess, endpoint.max_tokens)
            purse.settle(used_prompt + used - most, over)
        sure = endpoint.confidence if said.confidence is None else said.confidence
        return Answer(
            said.text,
            self.name,
            sure,
            tokens=used,
            prompt_tokens=used_prompt,
            cost=self._cost(used_prompt, used),
        )

    def _cost(self, prompt_tokens: int, tokens: int) -> float:
        endpoint = self.endpoint
        prices = prompt_tokens * endpoint.prompt_price + tokens * endpoint.completion_price
        return prices / _MILLION

    async def _complete(self, messages: list[dict[str, str]]) -> Completion:
        endpoint, redact = self.endpoint, self.account.redact
        request = {
            "model": endpoint.model,
            "messages": messages,
            "temperature": endpoint.temperature,
            "max_tokens": endpoint.max_tokens,
        } | ({"logprobs": True} if endpoint.logprobs else {})
        url, headers = f"{endpoint.base_url}/chat/completions", authorization(self.account.key)
        try:
            async with self._connected().stream(
                "POST", url, json=request, headers=headers
            ) as reply:
                body = await self._read(reply)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = redact(str(error.__cause__ or error)) or type(error).__name__
            raise TeacherFault(replace(CONNECTION, detail=said)) from None
        if reply.status_code == 200:
            return read_completion(bytes(body))
        wait = reply.headers.get("retry-after")
        text = body.decode("utf-8", "replace")
        raise TeacherFault(classify(reply.status_code, text, retry_after=wait, redact=redact))

    async def _read(self, reply: httpx.Response) -> bytearray:
        """The body, up to the limit: what is longer is no answer to a question."""
        body, limit = bytearray(), self._section.pool.reply_bytes
        async for part in reply.aiter_bytes():
            body += part
            if len(body) > limit:
                raise TeacherFault(replace(BAD_REPLY, detail=f"it is longer than {limit} bytes"))
        return body

    def _connected(self) -> httpx.AsyncClient:
        key, variable = self.account.key, self.endpoint.key_variable
        if not key and self.endpoint.needs_key:
            raise TeacherFault(replace(NO_KEY, detail=f"{variable or 'key'} is not set"))
        if not (key.isascii() and key.isprintable()):
            raise TeacherFault(replace(NO_KEY, detail=f"{variable} holds no plain text"))
        if self._client is None:
            url = self.endpoint.base_url
            self._client = httpx.AsyncClient(
                timeout=None,  # the calls have their own
                trust_env=not is_loopback(url),  # a proxy cannot reach this machine
                verify=url.startswith("https:"),  # reading certificates takes long: only if needed
            )
        return self._client


def authorization(key: str) -> dict[str, str]:
    """The header that carries a key; none without one."""
    return {"Authorization": f"Bearer {key}"} if key else {}
