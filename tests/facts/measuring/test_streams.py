"""The project's fact streams hold what they promise, and a broken stream is refused in one clear
sentence.
"""

import calendar
import json
import re
import unicodedata
from collections import Counter

import pytest

from fledgling.core.answers import contains
from fledgling.core.errors import DataError
from fledgling.core.paths import DATA
from fledgling.core.records import Turn
from fledgling.facts.measuring.streams import (
    NEIGHBOUR_KINDS,
    PROBE_KINDS,
    correction,
    everyday,
    read_fact_stream,
    read_zsre,
    reported,
    sample,
    tuning,
)

GOOD = {
    "id": "f-1",
    "turn": "Tom is my friend.",
    "probes": [{"kind": "direct", "question": "Who is Tom?", "answers": ["friend"]}],
    "neighbours": [{"kind": "other_subject", "question": "Who is Tim?", "forbidden": ["friend"]}],
}
PROBE = GOOD["probes"][0]
STREAMS = {"everyday": everyday, "tuning": tuning, "reported": reported}
OLD_KINDS = {"other_subject", "other_relation"}


def normalise(text):
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[^\w]+", " ", plain).split())


def holds(text, part):
    """Inside words too, so that the check is stricter than any scoring."""
    return normalise(part) in normalise(text)


def questions(facts):
    return [item.question for fact in facts for item in (*fact.probes, *fact.neighbours)]


def _holds_any(text, answers):
    return any(holds(text, answer) for answer in answers)


COMMON = {
    "King",
    "Queen",
    "Saint",
    "University",
    "Lake",
    "Island",
    "House",
    "Street",
    "Group",
    "Sea",
    "The",
    "Mrs",
}
COMMON |= {
    "River",
    "Mount",
    *calendar.day_name,
    *(f"{day}s" for day in calendar.day_name),
    *calendar.month_name,
}


def names(facts):
    """Capitalised words inside turns and in answers: proper names, but for a few titles and the
    calendar.
    """
    words = set()
    for fact in facts:
        inside = fact.turn.question or fact.turn.text
        answers = " ".join(answer for probe in fact.probes for answer in probe.answers)
        words |= set(re.findall(r"(?<=[\s\"(])[A-ZÀ-Þ]\w{2,}", f"{inside} {answers}"))
    return words - COMMON


def write(tmp_path, *lines):
    path = tmp_path / "facts.jsonl"
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines),
        encoding="utf-8",
    )
    return path


def test_both_forms_are_read_in_order(tmp_path):
    fixed = {
        "id": "f-2",
        "question": "Which river system contains Charity Creek?",
        "answer": "Parramatta River",
    }
    facts = read_fact_stream(write(tmp_path, GOOD, "", {**fixed, "probes": []}))
    assert [fact.id for fact in facts] == ["f-1", "f-2"]
    assert facts[0].turn == Turn(text="Tom is my friend.")
    assert facts[0].relation == "f"
    assert facts[0].neighbours[0].forbidden == ("friend",)
    assert facts[1].turn.question == "Which river system contains Charity Creek?"
    assert (
        facts[1].turn.text
        == 'The answer to "Which river system contains Charity Creek?" is Parramatta River.'
    )
    assert [(probe.kind, probe.answers) for probe in facts[1].probes] == [
        ("direct", ("Parramatta River",))
    ]
    assert facts[1].neighbours == ()


def test_a_correction_keeps_its_own_direct_probe(tmp_path):
    line = {
        "id": "c",
        "question": "Who wrote it?",
        "answer": "Ada Vale",
        "probes": [{**PROBE, "answers": ["Vale"]}],
    }
    (fact,) = read_fact_stream(write(tmp_path, line))
    assert [probe.question for probe in fact.probes_of("direct")] == ["Who is Tom?"]
    assert fact.relation == "c"


def test_a_correction_does_not_end_in_two_stops():
    assert correction("Who signs?", "A. B.").text.endswith("is A. B.")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([GOOD, '{"id": "x", "turn"'], ["line 2", "not valid JSON"]),
        ([GOOD, "[1]"], ["line 2", "one JSON object"]),
        ([{**GOOD, "turn": None}], ["line 1", "'turn'", "None", "non-empty string"]),
        (
            [{k: v for k, v in GOOD.items() if k != "turn"}],
            ["line 1", "'turn' is missing", "present: id"],
        ),
        ([{k: v for k, v in GOOD.items() if k != "probes"}], ["'probes' is missing"]),
        ([{k: v for k, v in GOOD.items() if k != "id"}], ["'id' is missing"]),
        ([{"id": "c", "question": "Who?", "probes": []}], ["'answer' is missing"]),
        ([{**GOOD, "id": 7}], ["'id'", "7", "string"]),
        ([{**GOOD, "turn": "  "}], ["'turn'", "non-empty"]),
        ([GOOD, GOOD], ["line 2", "'f-1'", "line 1"]),
        ([{**GOOD, "probes": "none"}], ["'probes'", "list of objects"]),
        ([{**GOOD, "probes": ["Who?"]}], ["probes[0]", "object"]),
        (
            [{**GOOD, "probes": [{**PROBE, "kind": "cloze"}]}],
            ["probes[0]", "'cloze'", "direct, paraphrase, reverse"],
        ),
        (
            [{**GOOD, "probes": [PROBE, {**PROBE, "answers": "friend"}]}],
            ["probes[1]", "'answers'", "list of strings"],
        ),
        ([{**GOOD, "probes": [{**PROBE, "answers": []}]}], ["'answers'", "list of strings"]),
        ([{**GOOD, "probes": [{**PROBE, "answers": [3]}]}], ["'answers'", "3", "string"]),
        (
            [{**GOOD, "neighbours": [{"kind": "direct", "question": "a", "forbidden": ["b"]}]}],
            ["other_subject"],
        ),
        (
            [{**GOOD, "neighbours": [{"kind": "other_subject", "question": "a"}]}],
            ["'forbidden' is missing"],
        ),
        ([{**GOOD, "neighbors": []}], ["'neighbors'", "did you mean 'neighbours'"]),
        ([""], ["holds no facts"]),
    ],
)
def test_bad_streams_name_the_place_and_the_remedy(tmp_path, lines, told):
    path = write(tmp_path, *lines)
    with pytest.raises(DataError) as caught:
        read_fact_stream(path)
    message = str(caught.value)
    assert str(path) in message
    for part in told:
        assert part in message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_fact_stream(tmp_path / "none.jsonl")


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / "facts.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        read_fact_stream(path)


def test_other_keys_are_left_alone(tmp_path):
    assert len(read_fact_stream(write(tmp_path, {**GOOD, "relation": "friend"}))) == 1


def test_sample_is_seeded_and_without_repeats():
    facts = everyday()
    first = [fact.id for fact in sample(facts, 20, seed=3)]
    assert first == [fact.id for fact in sample(facts, 20, seed=3)]
    assert first != [fact.id for fact in sample(facts, 20, seed=4)]
    assert len(set(first)) == 20
    assert sorted(fact.id for fact in sample(facts, len(facts), seed=0)) == sorted(
        fact.id for fact in facts
    )


@pytest.mark.parametrize("count", [0, -1, 10_000])
def test_sample_refuses_an_impossible_count(count):
    with pytest.raises(DataError, match="ask for 1 to"):
        sample(everyday(), count, seed=0)


ZSRE = {
    "subject": "X",
    "src": "Who made X?",
    "rephrase": "X was made by whom?",
    "loc": "nq question: who is y",
}


def test_zsre_records_become_corrections(tmp_path):
    path = tmp_path / "zsre.json"
    path.write_text(
        json.dumps([{**ZSRE, "answers": ["Ada", "A."]}, {**ZSRE, "alt": "Bo", "loc": "why z"}])
    )
    facts, prompts = read_zsre(path)
    assert prompts == ["who is y", "why z"]
    assert facts[0].turn == correction("Who made X?", "Ada")
    assert [(probe.kind, probe.question) for probe in facts[0].probes] == [
        ("direct", "Who made X?"),
        ("paraphrase", "X was made by whom?"),
    ]
    assert facts[0].probes[1].answers == ("Ada", "A.")
    assert facts[1].turn.answer == "Bo"
    assert len(read_zsre(path, limit=1)[0]) == 1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "at least one record"),
        ({"src": "a"}, "JSON array"),
        (["a"], "record 0 is a str"),
        ([ZSRE], "'alt' is missing"),
        ([{**ZSRE, "answers": []}], "'answers'"),
        ([{**ZSRE, "answers": ["Ada"], "rephrase": None}], "'rephrase'"),
    ],
)
def test_bad_zsre_files_are_refused(tmp_path, value, told):
    path = tmp_path / "zsre.json"
    path.write_text(json.dumps(value))
    with pytest.raises(DataError, match=re.escape(told)):
        read_zsre(path)


def test_zsre_refuses_a_limit_below_one(tmp_path):
    path = tmp_path / "zsre.json"
    path.write_text(json.dumps([{**ZSRE, "answers": ["Ada"]}]))
    with pytest.raises(DataError, match="at least 1"):
        read_zsre(path, limit=0)


# Capitalised, but no names: what opens a sentence, colours, and the calendar.
CAPITALISED = """
Aunt Because Copper Dad Damp Easter Everyone First For Forty Four From Glass Got Grandpa Green
Heron His Kettle Lane Lantern Latin Literally Little Lovely May Mondays Mrs Mum Mustard New
Night Nine Not Now Only Orange Orchard Otherwise Our Ours Room Row Salt Seven She Since Six
Sundays That The There They Thirty Thursdays Tuesdays Two Wednesdays Well Went What With Year
You
"""
OPENINGS = {*calendar.day_name, *calendar.month_name, *CAPITALISED.split()}


def test_facts_told_in_passing_are_nowhere_else():
    passing = [
        read_fact_stream(DATA / "facts" / f"{name}.jsonl")
        for name in ("in_passing", "in_passing_validation")
    ]
    measured = [*reported(), *everyday()]
    asked = set(map(normalise, questions([*measured, *tuning()])))
    for told in passing:
        assert not set(map(normalise, questions(told))) & asked
        assert names(told) & names(measured) <= OPENINGS
        for fact in told:
            assert len(fact.probes) >= 3 and fact.neighbours, fact.id
            (direct, *_) = fact.probes
            assert _holds_any(fact.turn.text, direct.answers), fact.id
            for probe in fact.probes:
                given = probe.form in ("yes_no", "choice")
                assert given or not contains(probe.question, probe.answers), fact.id
    assert names(passing[0]) & names(passing[1]) <= OPENINGS
    assert names(passing[1]) & names(tuning()) <= OPENINGS


def test_everyday_holds_what_it_promises():
    facts = everyday()
    assert len(facts) >= 64
    assert len({fact.relation for fact in facts}) >= 14
    assert 8 <= sum(fact.turn.question is not None for fact in facts) <= 12
    for fact in facts:
        assert {probe.kind for probe in fact.probes} >= {"paraphrase", "reverse"}, fact.id
        assert {item.kind for item in fact.neighbours} >= OLD_KINDS, fact.id


def test_tuning_holds_what_it_promises():
    facts = tuning()
    assert len(facts) >= 220
    assert sum(fact.turn.question is not None for fact in facts) >= 40
    assert len({fact.relation for fact in facts if fact.turn.question is None}) >= 40
    for fact in [fact for fact in facts if not fact.id.startswith("tune-link")]:
        assert len(fact.probes_of("direct")) == 1, fact.id
        assert len(fact.probes_of("paraphrase")) >= 3, fact.id
        assert fact.probes_of("reverse"), fact.id
        assert len(fact.neighbours) >= 4, fact.id
        assert {item.kind for item in fact.neighbours} >= OLD_KINDS, fact.id


def test_reported_asks_every_fact_in_every_way():
    facts = reported()
    assert len(facts) >= 110
    assert len({fact.relation for fact in facts}) >= 90
    kinds = Counter(item.kind for fact in facts for item in fact.neighbours)
    assert min(kinds[kind] for kind in NEIGHBOUR_KINDS) >= 60
    for fact in facts:
        assert {probe.kind for probe in fact.probes} >= {"direct", "paraphrase", "use"}, fact.id
    assert sum(bool(fact.probes_of("reverse")) for fact in facts) >= 0.9 * len(facts)


@pytest.mark.parametrize("stream", STREAMS)
def test_as_many_noes_as_yeses(stream):
    told = Counter(
        probe.answers
        for fact in STREAMS[stream]()
        for probe in fact.probes
        if probe.form == "yes_no"
    )
    assert set(told) == {("yes",), ("no",)}
    assert abs(told["yes",] - told["no",]) <= 0.1 * told.total()


@pytest.mark.parametrize("stream", STREAMS)
def test_no_question_gives_its_answer_away(stream):
    for fact in STREAMS[stream]():
        for probe in fact.probes:
            assert probe.kind in PROBE_KINDS
            if probe.form in ("yes_no", "choice"):
                continue  # the words of the answer stand in the question
            given_away = contains if probe.kind == "use" else _holds_any
            assert not given_away(probe.question, probe.answers), (fact.id, probe)
        for item in fact.neighbours:
            assert not [word for word in item.forbidden if holds(item.question, word)], (
                fact.id,
                item,
            )


@pytest.mark.parametrize("stream", STREAMS)
def test_questions_differ_within_a_fact_and_turns_within_a_stream(stream):
    facts = STREAMS[stream]()
    turns = [normalise(fact.turn.text) for fact in facts]
    assert len(set(turns)) == len(turns)
    for fact in facts:
        asked = [normalise(question) for question in questions([fact])]
        assert len(set(asked)) == len(asked), fact.id
    probes = [normalise(probe.question) for fact in facts for probe in fact.probes]
    assert sorted({question for question in probes if probes.count(question) > 1}) == []


@pytest.mark.parametrize("stream", ["everyday", "tuning"])
def test_a_direct_answer_stands_in_the_turn(stream):
    for fact in STREAMS[stream]():
        for probe in fact.probes_of("direct"):
            assert any(
                normalise(answer) in normalise(fact.turn.text) for answer in probe.answers
            ), fact.id


def test_the_streams_are_disjoint():
    reported, fitted = everyday(), tuning()
    assert not {fact.id for fact in reported} & {fact.id for fact in fitted}
    assert not {normalise(fact.turn.text) for fact in reported} & {
        normalise(fact.turn.text) for fact in fitted
    }
    assert (
        sorted(set(map(normalise, questions(reported))) & set(map(normalise, questions(fitted))))
        == []
    )
    assert sorted(names(reported) & names(fitted)) == []
