"""Asking a learner, with answers put in its mouth."""

import numpy as np
import pytest

from fledgling.core.records import Turn
from fledgling.facts.flow import learn
from fledgling.facts.gate.cases import GateCase
from fledgling.facts.gate.gate import Gate
from fledgling.facts.learner import Reply
from fledgling.facts.measuring.probing import (
    AnchorSet,
    ask,
    ask_neighbours,
    ask_probes,
    evaluate,
    try_gate,
)
from fledgling.facts.measuring.streams import Neighbour, Probe, TaughtFact
from fledgling.settings import load_config

LENA = TaughtFact(
    "lena",
    Turn("Lena lives in Oslo."),
    (
        Probe("direct", "Where does Lena live?", ("Oslo",)),
        Probe("paraphrase", "What is the home of Lena?", ("Oslo",)),
        Probe("reverse", "Who is at home in the Norwegian capital?", ("Lena",)),
    ),
    (
        Neighbour("other_subject", "Where does Tim live?", ("Oslo",)),
        Neighbour("other_relation", "What does Lena play?", ("Oslo",)),
    ),
)


def tell(learner, text):
    return list(learn(learner, [Turn(text)], reply=False))


def routes(learner, questions):
    return zip(learner.sources(questions), learner.route(questions), strict=True)


@pytest.fixture
def scripted(new_learner, monkeypatch):
    """A learner that was told of Lena, whose answers are given by question."""
    learner = new_learner()
    tell(learner, "Lena lives in Oslo.")
    says = {
        "Where does Lena live?": "In Oslo.",
        "What does Lena play?": "Oslo!",
        "What is the home of Lena?": "No idea.",
    }
    monkeypatch.setattr(
        learner,
        "answer",
        lambda questions: [
            Reply(says.get(question, "Hm."), *routed)
            for question, routed in zip(questions, routes(learner, questions), strict=True)
        ],
    )
    return learner


def test_probes_are_scored_by_what_the_answer_contains(scripted):
    results = ask_probes(scripted, [LENA])
    assert [(result.kind, result.hit, result.exact, result.opened) for result in results] == [
        ("direct", True, False, True),
        ("paraphrase", False, False, False),
        ("reverse", False, False, False),
    ]


@pytest.mark.parametrize(
    ("base", "contaminated"), [("Hm.", [False, True]), ("In Oslo.", [False, False])]
)
def test_a_neighbour_counts_only_where_the_base_does_not_say_the_same(
    scripted, monkeypatch, base, contaminated
):
    monkeypatch.setattr(scripted, "base_answer", lambda questions: [base] * len(questions))
    monkeypatch.setattr(scripted, "sources", lambda questions: ["fact"] * len(questions))
    known = {}
    results = ask_neighbours(scripted, [LENA], known)
    assert [result.hit for result in results] == contaminated
    assert set(known) == {"Where does Tim live?", "What does Lena play?"}


def test_base_answers_are_asked_for_once(scripted, monkeypatch):
    asked = []
    monkeypatch.setattr(
        scripted,
        "base_answer",
        lambda questions: (asked.extend(questions), ["Hm."] * len(questions))[1],
    )
    known = {}
    ask_neighbours(scripted, [LENA, LENA], known)
    ask_neighbours(scripted, [LENA], known)
    assert sorted(asked) == ["What does Lena play?", "Where does Tim live?"]


def test_what_the_base_answers_is_recalled_and_not_asked_again(scripted, monkeypatch):
    monkeypatch.setattr(scripted, "base_answer", lambda questions: ["Hm."] * len(questions))
    answer, asked = scripted.answer, []
    monkeypatch.setattr(scripted, "answer", lambda these: asked.extend(these) or answer(these))
    known = {"What is the capital of France?": "Lyon."}
    questions = ["Where does Lena live?", "What is the capital of France?", "Who sings?"]
    texts = [text for text, _ in ask(scripted, questions, known)]
    assert texts == ["In Oslo.", "Lyon.", "Hm."]
    assert asked == ["Where does Lena live?"] and known["Who sings?"] == "Hm."


def test_anchors_of_an_untaught_learner_have_not_moved(new_learner):
    learner = new_learner(**{"facts.gate.enabled": False, "facts.learning.placement": "shared"})
    metrics = AnchorSet(learner, ["Why is the sky blue?", "Hi"]).measure(learner)
    assert metrics["anchor_kl"] == pytest.approx(0.0, abs=1e-6)
    assert metrics["locality"] == metrics["answers_unchanged"] == 1.0
    assert metrics["anchor_ppl_ratio"] == pytest.approx(1.0)


def test_an_always_acting_adapter_moves_anchors_and_a_gated_one_does_not(new_learner):
    moved = {}
    for gated in (True, False):
        learner = new_learner(
            **{
                "facts.gate.enabled": gated,
                "facts.learning.placement": "shared",
                "facts.learning.lr": 0.05,
            }
        )
        anchors = AnchorSet(learner, ["Why is the sky blue?", "Name a colour."])
        tell(learner, "Lena lives in Oslo.")
        moved[gated] = anchors.measure(learner)["anchor_kl"]
    assert moved[True] == pytest.approx(0.0, abs=1e-6) and moved[False] > 0.01


def test_evaluate_gives_the_names_of_the_contract(new_learner):
    learner = new_learner()
    metrics, probes, neighbours = evaluate(learner, [LENA], AnchorSet(learner, ["Hi"]), {})
    assert {
        "efficacy",
        "generalization",
        "reverse",
        "near_miss",
        "locality",
        "answers_unchanged",
        "anchor_kl",
        "anchor_ppl_ratio",
        "gate_recall",
        "gate_precision",
    } <= set(metrics)
    assert (len(probes), len(neighbours)) == (3, 2)


def test_a_gate_is_tried_on_hard_questions():
    def score(pairs):
        return np.array([float(fact.split()[0] in question) for fact, question in pairs])

    gate = Gate(lambda texts: np.ones((len(texts), 1), np.float32), score, load_config().facts.gate)
    cases = [
        GateCase("Al sings.", "alias", "Does Alfred sing?"),
        GateCase("Al sings.", "reverse", "Who sings?"),
        GateCase("Al sings.", "name_inside_name", "Does Alma sing?"),
        GateCase("Bo paints.", "alias", "Al, does he paint?"),
    ]
    table, precision, recall = try_gate(gate, cases, load_config().language)
    assert table.loc["alias"].tolist() == [2, 2, 1, "open"]
    assert table.loc["reverse"].tolist() == [1, 0, 0, "open"]
    assert table.loc["name inside name"].tolist() == [1, 1, 1, "closed"]
    assert (precision, recall) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
