"""The key values in use leave the process nowhere, in whatever form they come back."""

import json
import logging
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rehearsal import RehearsalServer, Scripted, completion

from fledgling.core.errors import ConfigError
from fledgling.core.runtime import log_to_file
from fledgling.settings import load_config
from fledgling.teachers.answers import Answer, Decision, Query
from fledgling.teachers.building import assemble, endpoint_teachers
from fledgling.teachers.conditions import conditions
from fledgling.teachers.decision_log import DecisionLog
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.questions import Question
from fledgling.teachers.redaction import Secrets, keys_in_use

KEY = "plain+Key/of no=known&shape"  # nothing that a pattern would recognise
ENVIRONMENT = {"VLLM_API_KEY": KEY + "\n"}  # as a shell may leave it


def configured(base_url: str) -> object:
    endpoint = {
        "name": "a",
        "model": "a",
        "base_url": base_url,
        "key_variable": "VLLM_API_KEY",
        "system": "Be brief.",
    }
    return load_config(
        overrides={
            "teachers": {
                "pool": {"deadline_s": 5.0},
                "retry": {"attempts": 1},
                "endpoints": [endpoint],
                "local": [],
            }
        }
    )


@pytest.mark.parametrize(
    "said",
    [
        f"the key {KEY} is unknown",
        f"{'x' * 290}{KEY}",  # cut in the middle where a detail ends
        KEY.upper(),
        quote(KEY, safe=""),
        json.dumps({"key": KEY}),
        f'{{"error": {{"message": "bad key {KEY}", "code": 401}}}}',
        f"[{json.dumps(KEY)}]",
    ],
)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_key_that_a_server_echoes_is_in_no_file_log_or_repr(
    said: str, status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reply = completion("a", said) if status == 200 else Scripted(status, said)
    log, logger = tmp_path / "out.jsonl.log", logging.getLogger("fledgling")
    with RehearsalServer(lambda *_: reply) as server, caplog.at_level(logging.DEBUG):
        section = configured(server.base_url).teachers
        members = assemble(section, None, environment=ENVIRONMENT)
        log_to_file(log, level=logging.DEBUG, redact=members.redact)
        handler = logger.handlers[-1]
        try:
            with members.pool(section) as pool, DecisionLog(tmp_path / "out.jsonl") as out:
                heard = pool.ask("Why?")
                decision = Decision("x", "best", 1, 1, 1, False, "", answers=heard.answers)
                out.append(Question("a", Query("Why?")), decision, seconds=0.1)
            logger.warning("unexpected: %s", said)  # even what nobody redacted before
        finally:
            logger.removeHandler(handler)
            handler.close()
            logger.setLevel(logging.NOTSET)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    left = [
        repr(heard),
        (tmp_path / "out.jsonl").read_text(encoding="utf-8"),
        log.read_text(encoding="utf-8"),
        *(record.getMessage() for record in caplog.records if "unexpected" not in record.msg),
    ]
    fragments = (KEY[:14], quote(KEY, safe="")[:18])
    for text in left:
        assert not [part for part in fragments if part.casefold() in text.casefold()], text


def test_no_repr_shows_the_key() -> None:
    section = configured("http://127.0.0.1:9/v1").teachers
    (teacher,) = endpoint_teachers(section, environment=ENVIRONMENT)
    members = assemble(section, None, environment=ENVIRONMENT)
    for value in (teacher, vars(teacher), teacher.account, members, members.redact):
        assert KEY not in repr(value)


def test_the_status_of_a_server_shows_no_key() -> None:
    with RehearsalServer(lambda *_: completion("a", "x"), models=(KEY,)) as server:
        config = configured(server.base_url)
        found = conditions(config.teachers, config.models, environment=ENVIRONMENT)
    assert found[0].ready and KEY not in repr(found)


@pytest.mark.parametrize("key", ["two\nlines", "caf\u00e9-key", "nul\x00key"])
def test_a_key_that_no_header_can_carry_is_said_without_repeating_it(key: str) -> None:
    with RehearsalServer(lambda *_: completion("a", "x")) as server:
        section = configured(server.base_url).teachers
        teachers = endpoint_teachers(section, environment={"VLLM_API_KEY": key})
        with TeacherPool(teachers, section) as pool:
            error = pool.ask("Why?").answers[0].error
    assert error.startswith("no_key") and key not in error and not server.calls


def test_a_short_key_is_hidden_where_it_stands_alone() -> None:
    hide = Secrets(("abc",))
    assert hide("abc, (abc) and abcdef") == "***, (***) and abcdef"


@given(st.text(min_size=8, max_size=30), st.text(max_size=40), st.text(max_size=40))
def test_whatever_the_key_it_is_taken_out(key: str, before: str, after: str) -> None:
    shown = Secrets((key,))(before + key + after)
    assert key not in shown or key in "***" * 20


def test_keys_of_endpoints_alone_count() -> None:
    section = configured("http://127.0.0.1:9/v1").teachers
    assert keys_in_use(section.endpoints, {"PATH": "/bin"}).values == ()
    assert keys_in_use(section.endpoints, ENVIRONMENT).values == (KEY,)


@pytest.mark.parametrize("extra", [{"api_key": KEY}, {"base_url": f"http://host/v1?key={KEY}"}])
def test_a_key_put_into_the_configuration_is_not_repeated(extra: dict) -> None:
    endpoint = {"name": "a", "model": "a", "base_url": "http://host/v1", **extra}
    with pytest.raises(ConfigError) as error:
        load_config(overrides={"teachers": {"endpoints": [endpoint]}})
    assert KEY not in str(error.value)


def test_an_answer_of_any_teacher_passes_the_same_door() -> None:
    class Echo:
        name = "echo"

        async def answer(self, query: Query, *, timeout: float) -> Answer:
            return Answer(f"your key is {KEY}", self.name, float("nan"), error=None)

    section = configured("http://127.0.0.1:9/v1").teachers
    with TeacherPool([Echo()], section, redact=Secrets((KEY,))) as pool:
        answer = pool.ask("Why?").answers[0]
    assert answer.text == "your key is ***" and answer.confidence == 0.0
