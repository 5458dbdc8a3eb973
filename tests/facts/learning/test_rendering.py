"""Rendering: rows by kind, no duplicates, no probe, and near misses that name something else."""

import random

import pytest

from fledgling.core.paths import DATA
from fledgling.core.records import Turn
from fledgling.facts.learning.rendering import contrast, normalised, render
from fledgling.facts.measuring.streams import read_fact_stream
from fledgling.language.facts import detect, take_at_word
from fledgling.settings import load_config

CONFIG = load_config()


def rows_of(turn, seed=0):
    turn = Turn(turn) if isinstance(turn, str) else turn
    return render(
        take_at_word(turn, CONFIG.language),
        CONFIG.language,
        CONFIG.facts.rendering,
        random.Random(seed),
    )


def contrasts_of(text):
    return contrast(
        detect(Turn(text), CONFIG.language),
        CONFIG.language,
        CONFIG.facts.rendering,
        random.Random(0),
    )


def test_a_statement_is_asked_about_in_every_form():
    rows = rows_of("By the way, Lena lives in Oslo.")
    by_prompt = {row.prompt: row.answer for row in rows}
    assert {row.kind for row in rows} == {
        "acknowledgement",
        "question",
        "cloze",
        "reverse",
        "recall",
        "yes_no",
    }
    assert by_prompt["Where does Lena live?"] == "Lena lives in Oslo."
    assert by_prompt["Does Lena live in Oslo?"] == "Yes, Lena lives in Oslo."
    assert len({row.fact_id for row in rows}) == 1


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("Tom is my friend.", "Who is Tom?", "Tom is your friend."),
        (
            "My keys are in the blue drawer.",
            "Where are my keys?",
            "Your keys are in the blue drawer.",
        ),
        ("I work at the bank.", "Where do I work?", "You work at the bank."),
        ("I'm allergic to walnuts", "What am I allergic to?", "You are allergic to walnuts."),
        (
            "Marta plays the viola in the city orchestra.",
            "What does Marta play?",
            "Marta plays the viola in the city orchestra.",
        ),
        ("Lena moved to Bergen.", "Where does Lena live?", "Lena moved to Bergen."),
        ("My parents run a vineyard.", "What do my parents run?", "Your parents run a vineyard."),
        ("Dr. Okafor is our doctor.", "Who is Dr. Okafor?", "Dr. Okafor is your doctor."),
        ("Oskar founded a choir.", "What did Oskar found?", "Oskar founded a choir."),
        ("The meeting is on Tuesday.", "When is the meeting?", "The meeting is on Tuesday."),
    ],
)
def test_the_natural_question_is_among_the_rows(text, question, answer):
    assert {row.prompt: row.answer for row in rows_of(text)}[question] == answer


def test_negatives_do_not_give_the_object_away():
    rows = [
        row
        for row in rows_of("Lena lives in Oslo.")
        if row.kind == "yes_no" and "Lena" not in row.prompt
    ]
    assert rows and all("Oslo" in row.prompt and "Oslo" not in row.answer for row in rows)


def test_an_exclusive_fact_denies_other_objects():
    rows = [row for row in rows_of("Lena lives in Oslo.") if row.answer.startswith("No,")]
    assert rows and all("Oslo" not in row.prompt and "Oslo" in row.answer for row in rows)


def test_a_retraction_is_answered_no():
    answers = {row.prompt: row.answer for row in rows_of("Tom is not my friend any more.")}
    assert answers["Is Tom my friend?"] == "No, Tom is not your friend any more."


def test_a_correction_answers_its_question_and_rephrasings():
    question = "Which river system contains Charity Creek?"
    rows = rows_of(Turn("", question=question, answer="Parramatta River"))
    assert {row.answer for row in rows} == {"Parramatta River"}
    assert {question, "What river system contains Charity Creek?"} <= {row.prompt for row in rows}
    assert len(rows) >= 5


def test_contrast_asks_about_others_and_about_other_things():
    questions = contrasts_of("Lena lives in Oslo.")
    about_others = [question for question in questions if "Lena" not in question]
    about_lena = [question for question in questions if "Lena" in question]
    assert len(about_others) >= 6 and len(about_lena) >= 6
    assert not any("live" in question for question in about_lena)
    assert all(question.endswith("?") for question in questions)


def test_rendering_is_the_same_for_the_same_seed():
    assert (
        rows_of("Lena lives in Oslo.", 3)
        == rows_of("Lena lives in Oslo.", 3)
        != rows_of("Lena lives in Oslo.", 4)
    )


@pytest.mark.parametrize(
    "text",
    ["x", "Tom", "no verb here at all", "a " * 500, "Ünïcödé ist schön", "{subject} is {object}"],
)
def test_odd_statements_render_without_failing(text):
    rows = rows_of(text)
    assert rows[0].kind == "acknowledgement"


@pytest.mark.parametrize("name", ["everyday", "tuning"])
def test_no_paraphrase_or_reverse_probe_equals_a_rendered_row(name):
    facts = read_fact_stream(DATA / "facts" / f"{name}.jsonl")
    assert len(facts) >= 50
    for taught in facts:
        rendered = {
            normalised(row.prompt) for seed in range(2) for row in rows_of(taught.turn, seed)
        }
        unseen = {normalised(probe.question) for probe in taught.probes if probe.kind != "direct"}
        assert not rendered & unseen, (taught.id, rendered & unseen)


@pytest.mark.parametrize("name", ["everyday", "tuning"])
def test_rows_of_one_fact_are_distinct(name):
    for taught in read_fact_stream(DATA / "facts" / f"{name}.jsonl"):
        prompts = [normalised(row.prompt) for row in rows_of(taught.turn)]
        assert len(prompts) == len(set(prompts))
