"""Endpoint teachers against a server on loopback that replays real faults."""

import logging
import socket
import threading
import time
from pathlib import Path

import pytest
from rehearsal import FAULTS, RehearsalServer, Scripted, completion

from fledgling.core.errors import ConfigError
from fledgling.core.layers import merge
from fledgling.models.loading import LoadedModel
from fledgling.settings import load_config
from fledgling.teachers.answers import Message, Query
from fledgling.teachers.building import (
    assemble,
    endpoint_presets,
    endpoint_teachers,
    missing_key,
    preset_overrides,
)
from fledgling.teachers.conditions import conditions
from fledgling.teachers.mock import FixedTeacher
from fledgling.teachers.pool import TeacherPool

KEY = "nvapi-" + "ThisIsNotARealKey123"


def section(server: RehearsalServer, *models: str, **changes: object) -> object:
    endpoints = [
        {"name": model, "model": model, "base_url": server.base_url, "needs_key": False}
        for model in models
    ]
    base = {
        "pool": {"deadline_s": 5.0},
        "retry": {"base_s": 0.01, "cap_s": 0.02, "call_share": 0.2},
        "endpoints": endpoints,
    }
    return load_config(overrides=merge({"teachers": base}, {"teachers": changes})).teachers


def ask(config: object, question: str | Query = "Why?", times: int = 1) -> list:
    with TeacherPool(endpoint_teachers(config, remember=False), config) as pool:
        return [pool.ask(question) for _ in range(times)]


def test_a_completion_becomes_an_answer() -> None:
    with RehearsalServer(lambda *_: completion("a", "Because it is.")) as server:
        answer = ask(section(server, "a"))[0].answers[0]
    assert (answer.text, answer.model_name, answer.tokens, answer.error) == (
        "Because it is.",
        "a",
        3,
        None,
    )
    assert answer.confidence == 0.6 and answer.latency_ms > 0


def test_token_probabilities_become_confidence() -> None:
    said = Scripted(
        200,
        '{"id":"x","object":"chat.completion","created":0,"model":"a","choices":[{"index":0,'
        '"finish_reason":"stop","message":{"role":"assistant","content":"Yes."},"logprobs":{"content":['
        '{"token":"Yes","logprob":0.0,"top_logprobs":[]},{"token":".","logprob":-0.6931472,'
        '"top_logprobs":[]}]}}]}',
    )
    with RehearsalServer(lambda *_: said) as server:
        assert ask(section(server, "a"))[0].answers[0].confidence == pytest.approx(0.75)


@pytest.mark.parametrize("kind", FAULTS)
def test_only_what_is_worth_it_is_tried_again(kind: str) -> None:
    with RehearsalServer(lambda *_: FAULTS[kind]) as server:
        answer = ask(section(server, "a"))[0].answers[0]
    assert answer.error.startswith(kind)
    assert len(server.calls) == (
        3 if kind in ("rate_limit", "not_ready", "server", "bad_reply") else 1
    )


def test_a_passing_fault_is_survived() -> None:
    with RehearsalServer(
        lambda number, *_: FAULTS["rate_limit"] if number < 2 else completion("a", "Yes.")
    ) as server:
        assert ask(section(server, "a"))[0].answers[0].text == "Yes."
    assert len(server.calls) == 3


def test_a_stalled_call_is_given_up_and_tried_again() -> None:
    config = {"retry": {"base_s": 0.01, "cap_s": 0.02, "call_share": 0.06}}
    with RehearsalServer(
        lambda number, *_: completion("a", "Yes.", delay_s=0.0 if number else 20.0)
    ) as server:
        reply = ask(section(server, "a", **config))[0]
    assert reply.answers[0].text == "Yes." and reply.seconds < 2


def test_retry_after_is_obeyed() -> None:
    slow_down = Scripted(429, "{}", headers={"Retry-After": "0.5"})
    with RehearsalServer(
        lambda number, *_: slow_down if number == 0 else completion("a", "Yes.")
    ) as server:
        assert ask(section(server, "a"))[0].seconds >= 0.5
    assert server.calls[1].at - server.calls[0].at >= 0.45


def test_a_degraded_or_retired_model_fails_over_to_the_reserve() -> None:
    def script(number: int, model: str, question: str) -> Scripted:
        return {"a": FAULTS["degraded"], "b": FAULTS["end_of_life"]}.get(
            model, completion(model, "Yes.")
        )

    with RehearsalServer(script) as server:
        replies = ask(
            section(server, "a", "b", "c", "d", pool={"max_teachers": 2, "quorum": 2}), times=2
        )
    assert [sorted(answer.model_name for answer in reply.usable) for reply in replies] == [
        ["c", "d"]
    ] * 2
    assert [call.model for call in server.calls].count("b") == 1  # retired: never asked again
    assert [call.model for call in server.calls].count(
        "a"
    ) == 2  # a server fault: asked again next time


def test_the_breaker_leaves_a_broken_model_alone() -> None:
    config = {
        "breaker": {"failures": 2, "cooldown_s": 60.0},
        "retry": {"attempts": 1, "base_s": 0.01},
    }
    with RehearsalServer(lambda *_: FAULTS["server"]) as server:
        replies = ask(section(server, "a", **config), times=4)
    assert len(server.calls) == 2
    assert replies[-1].answers[0].error.startswith("not asked: resting after 2 faults")


def test_our_own_mistake_does_not_open_the_breaker() -> None:
    config = {"breaker": {"failures": 1, "cooldown_s": 60.0}}
    with RehearsalServer(lambda *_: FAULTS["bad_request"]) as server:
        ask(section(server, "a", **config), times=3)
    assert len(server.calls) == 3


def test_waiting_for_the_budget_is_not_the_models_fault() -> None:
    config = {"pool": {"deadline_s": 0.4}, "breaker": {"failures": 1, "cooldown_s": 60.0}}
    with RehearsalServer(lambda *_: completion("a", "Yes.")) as server:
        limited = section(server, "a", **config)
        limited = limited.model_copy(
            update={
                "endpoints": [limited.endpoints[0].model_copy(update={"requests_per_minute": 1})]
            }
        )
        first, second = ask(limited, times=2)
    assert first.usable and len(server.calls) == 1
    assert not second.usable  # stopped at the deadline, before anything was sent


def test_one_budget_for_the_models_of_one_server_and_key() -> None:
    with RehearsalServer(lambda *_: completion("a", "Yes.")) as server:
        teachers = endpoint_teachers(section(server, "a", "b"), remember=False)
    assert teachers[0].account.budget is teachers[1].account.budget
    nim = load_config(overrides=preset_overrides("nim")).teachers
    teachers = endpoint_teachers(nim, environment={"NVIDIA_API_KEY": KEY}, remember=False)
    assert len({id(teacher.account) for teacher in teachers}) == 1
    assert teachers[0].account.budget.limit == 30


def test_the_key_goes_to_the_server_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    echo = Scripted(401, f'{{"detail": "key {KEY} is unknown"}}')
    with RehearsalServer(lambda *_: echo) as server, caplog.at_level(logging.DEBUG):
        config = section(server, "a")
        config = config.model_copy(
            update={
                "endpoints": [
                    config.endpoints[0].model_copy(
                        update={"key_variable": "TEST_TEACHER_KEY", "needs_key": True}
                    )
                ]
            }
        )
        teachers = endpoint_teachers(config, environment={"TEST_TEACHER_KEY": KEY}, remember=False)
        with TeacherPool(teachers, config) as pool:
            reply = pool.ask("Why?")
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    for text in (
        repr(reply),
        repr(vars(teachers[0])),
        caplog.text,
        config.model_dump_json(),
    ):
        assert KEY not in text


def test_without_a_key_the_endpoint_is_left_out_in_one_line() -> None:
    nim = load_config(overrides=preset_overrides("nim")).teachers
    assert all(missing_key(endpoint, {}) for endpoint in nim.endpoints)
    members = assemble(nim, None, environment={})
    assert members.teachers == () and len(members.notes) == 3
    assert "NVIDIA_API_KEY is not set" in members.notes[0]


@pytest.mark.parametrize(
    "changes", [{"key_variable": KEY}, {"base_url": f"https://user:{KEY}@host/v1"}]
)
def test_a_key_in_the_configuration_is_refused_without_repeating_it(changes: dict) -> None:
    endpoint = {"name": "a", "model": "a", "base_url": "https://host/v1", **changes}
    with pytest.raises(ConfigError, match="environment variable") as error:
        load_config(overrides={"teachers": {"endpoints": [endpoint]}})
    assert KEY not in str(error.value)


def test_presets_load_and_a_wrong_name_is_helped() -> None:
    assert endpoint_presets() == ["llama_cpp", "nim", "ollama", "vllm"]
    for name in endpoint_presets():
        assert load_config(overrides=preset_overrides(name)).teachers.endpoints
    with pytest.raises(ConfigError, match="did you mean 'ollama'"):
        preset_overrides("olama")


def test_status_says_what_is_missing_and_how_to_mend_it() -> None:
    with RehearsalServer(lambda *_: FAULTS["server"], models=("a",)) as server:
        config = section(server, "a", "unlisted")
        config = config.model_copy(
            update={
                "local": [],
                "endpoints": [
                    *config.endpoints,
                    config.endpoints[0].model_copy(
                        update={"name": "keyless", "needs_key": True, "key_variable": "NO_SUCH_KEY"}
                    ),
                ],
            }
        )
        found = conditions(config, load_config().models, environment={})
    assert [(row.ready, row.seen.split(";")[0].split(":")[0]) for row in found] == [
        (True, "reachable"),
        (True, "reachable"),
        (False, "no key"),
    ]
    assert "export NO_SUCH_KEY" in found[2].mend and "choose one of: a" in found[1].mend
    down = conditions(config, load_config().models, environment={})[0]
    assert not down.ready and "start the server" in down.mend


def test_bursts_stay_inside_the_budget_as_the_server_sees_it() -> None:
    with RehearsalServer(lambda *_: completion("a", "Yes.")) as server:
        config = section(
            server,
            "a",
            pool={
                "budget_window_s": 1.0,
                "budget_margin_s": 0.3,
                "concurrency": 30,
                "deadline_s": 20.0,
            },
        )
        config = config.model_copy(
            update={
                "endpoints": [config.endpoints[0].model_copy(update={"requests_per_minute": 10})]
            }
        )
        started = time.monotonic()
        with TeacherPool(endpoint_teachers(config, remember=False), config) as pool:
            replies = list(pool.ask_many([str(number) for number in range(25)]))
    assert all(reply.usable for reply in replies)
    assert time.monotonic() - started > 2.5  # 25 calls, 10 in every 1.3 s
    arrived = [call.at for call in server.calls]
    assert all(sum(at <= other < at + 1.0 for other in arrived) <= 10 for at in arrived)


MALFORMED = [
    '{"choices": [{"message": {"content": ["a", "list"]}}]}',
    '{"choices": "abc"}',
    '{"choices": [{"message": {"content": null}}], "usage": "none"}',
    '{"choices": [{"message": null, "logprobs": {"content": [{"logprob": null}]}}]}',
    '{"error": ' * 5_000,
    "[" * 200_000,
    '{"choices": [{"message": {"content": "\\ud800"}}]}',
]


@pytest.mark.parametrize("body", MALFORMED)
@pytest.mark.parametrize("status", [200, 500])
def test_a_malformed_reply_is_tried_again_counted_and_recovered_from(
    body: str, status: int
) -> None:
    """The breaker opens on malformed replies, its trial ends, and a mended server is heard."""
    broken = Scripted(status, body)
    config = {"breaker": {"failures": 1, "cooldown_s": 0.3}, "pool": {"deadline_s": 20.0}}
    mended = threading.Event()

    def script(number: int, model: str, question: str) -> Scripted:
        return completion("a", "Yes.") if mended.is_set() else broken

    with RehearsalServer(script) as server:
        rules = section(server, "a", **config)
        with TeacherPool(endpoint_teachers(rules, remember=False), rules) as pool:
            first = pool.ask("Why?").answers[0]
            assert first.error.startswith("bad_reply" if status == 200 else "server")
            assert len(server.calls) == 3  # retried
            assert pool.ask("Why?").answers[0].error.startswith("not asked")  # counted
            time.sleep(0.35)
            pool.ask("Why?")  # the trial fails, and ends
            mended.set()
            time.sleep(0.35)
            assert pool.ask("Why?").answers[0].text == "Yes."


def test_a_reply_longer_than_the_limit_is_cut_off_and_a_long_answer_is_capped() -> None:
    long = completion("a", "word " * 600_000)  # 3 MB
    with RehearsalServer(lambda *_: long) as server:
        answer = ask(section(server, "a", pool={"deadline_s": 20.0, "answer_chars": 500}))[0]
        assert len(answer.answers[0].text) == 500
        small = {"deadline_s": 20.0, "reply_bytes": 10_000}
        refused = ask(section(server, "a", pool=small, retry={"attempts": 1}))[0].answers[0]
    assert "longer than 10000 bytes" in refused.error


@pytest.mark.parametrize("wait", ["600", "1e308", "inf", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_long_retry_after_burns_no_deadline(wait: str) -> None:
    slow_down = Scripted(429, "{}", headers={"Retry-After": wait})
    with RehearsalServer(lambda *_: slow_down) as server:
        rules = section(server, "a", pool={"deadline_s": 30.0})
        with TeacherPool(endpoint_teachers(rules, remember=False), rules) as pool:
            assert pool.ask("Why?").seconds < 10
            calls = len(server.calls)
            again = pool.ask("Why?").answers[0]
    if wait in ("600", "1e308"):  # the server is left alone for as long as it asked, up to a limit
        assert again.error.startswith("not asked") and calls == len(server.calls) == 1


@pytest.mark.parametrize("preset", ["nim", "ollama", "vllm", "llama_cpp"])
def test_stalled_endpoints_of_every_preset_are_answered_by_reserves_in_time(preset: str) -> None:
    """Sockets that accept and never answer; the deadline alone is scaled down."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        shipped = preset_overrides(preset)
        endpoints = [
            endpoint | {"base_url": url, "requests_per_minute": 0}
            for endpoint in shipped["teachers"]["endpoints"]
        ]
        changed = merge(shipped, {"teachers": {"endpoints": endpoints}})
        rules = load_config(overrides=merge(changed, {"teachers.pool.deadline_s": 2.0})).teachers
        teachers = endpoint_teachers(
            rules, environment={"NVIDIA_API_KEY": "k" * 12}, remember=False
        )
        personas = [FixedTeacher("plain", "Yes."), FixedTeacher("careful", "Yes.")]
        with TeacherPool(teachers, rules, stand_ins=personas) as pool:
            reply = pool.ask("Why?")
    assert {answer.model_name for answer in reply.usable} == {"plain", "careful"}
    assert reply.seconds <= rules.pool.deadline_s


def test_personas_stand_in_and_vote_only_when_asked_to(tiny: LoadedModel) -> None:
    with RehearsalServer(lambda *_: completion("a", "Yes.")) as server:
        rules = section(server, "a")
        alone = assemble(rules, tiny)
        assert [teacher.name for teacher in alone.teachers] == ["a"]
        assert len(alone.stand_ins) == 3
        voting = assemble(section(server, "a", pool={"personas_vote": True}), tiny)
        assert len(voting.teachers) == 4 and voting.stand_ins == ()
        with alone.pool(rules) as pool:
            assert [answer.model_name for answer in pool.ask("Why?").answers] == ["a"]


def test_each_teacher_has_its_system_prompt_and_hears_the_conversation() -> None:
    seen: list[list[dict]] = []
    with RehearsalServer(lambda *_: completion("a", "Yes."), seen=seen) as server:
        rules = section(server, "a")
        endpoint = rules.endpoints[0].model_copy(update={"system": "You are brief."})
        rules = rules.model_copy(update={"endpoints": [endpoint]})
        history = (Message("user", "Hello"), Message("assistant", "Hello."))
        ask(rules, Query("Why?", history))
    assert [(turn["role"], turn["content"]) for turn in seen[0]] == [
        ("system", "You are brief."),
        ("user", "Hello"),
        ("assistant", "Hello."),
        ("user", "Why?"),
    ]


def test_tokens_and_cost_are_counted_and_the_budget_of_a_day_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEDGLING_HOME", str(tmp_path))
    said = Scripted(
        200,
        '{"choices": [{"message": {"content": "Yes."}}],'
        ' "usage": {"prompt_tokens": 1000, "completion_tokens": 500}}',
    )
    with RehearsalServer(lambda *_: said) as server:
        rules = section(server, "a", spending={"cost_per_day": 0.005})
        prices = {"prompt_price": 1.0, "completion_price": 2.0, "max_tokens": 500}
        endpoint = rules.endpoints[0].model_copy(update=prices)
        rules = rules.model_copy(update={"endpoints": [endpoint]})
        replies = ask(rules, times=4)
        again = ask(rules)[0]  # a restart goes on from what was spent
    costs = [reply.answers[0].cost for reply in replies if reply.usable]
    assert costs == pytest.approx([0.002, 0.002]) and len(server.calls) == 2
    assert replies[0].answers[0].prompt_tokens == 1000
    assert replies[-1].answers[0].error.startswith("budget") and not again.usable
