"""What an update learns from, and what it never sees."""

import random

import pytest
import torch

from fledgling.core.records import Example, Fact, Turn
from fledgling.facts.flow import learn
from fledgling.facts.learning import lessons as rehearsal_module
from fledgling.facts.learning.lessons import balanced
from fledgling.facts.learning.rendering import normalised
from fledgling.facts.measuring import anchors
from fledgling.facts.measuring.anchors import held_in, held_out
from fledgling.facts.measuring.probing import AnchorSet, evaluate
from fledgling.language.facts import detect
from fledgling.models.rows import AdaptedModel

TEXTS = ["Tom is my friend.", "Lena lives in Oslo.", "My keys are in the blue drawer."]


def tell(learner, *texts):
    return [record for text in texts for record in learn(learner, [Turn(text)])]


@pytest.fixture
def encoded(monkeypatch):
    """The prompts and answers of all rows encoded while the test runs."""
    seen, encode = [], AdaptedModel.encode

    def spy(self, examples, weights=None):
        seen.extend(examples)
        return encode(self, examples, weights)

    monkeypatch.setattr(AdaptedModel, "encode", spy)
    return seen


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "facts.learning.placement": "shared",
            "facts.gate.enabled": False,
            "facts.replay.rows": 2,
            "facts.learning.own_replies": True,
        },
        {"facts.learning.wait_for": 3},
    ],
)
def test_held_out_anchors_never_reach_a_batch(new_learner, monkeypatch, encoded, changes):
    files, read = [], anchors.read_anchors
    monkeypatch.setattr(
        anchors, "read_anchors", lambda path: (files.append(path.name), read(path))[1]
    )
    learner = new_learner(**changes)
    tell(learner, *TEXTS, "What a lovely day!")
    assert set(files) <= {"held_in.jsonl"}
    monkeypatch.undo()
    prompts = {normalised(example.prompt) for example in encoded}
    assert prompts & {normalised(prompt) for prompt in held_in()} or changes.get(
        "facts.learning.method"
    )
    assert not prompts & {normalised(prompt) for prompt in held_out()}


def test_measuring_held_out_anchors_changes_no_later_update(new_learner):
    """Anchors are measured between turns; what is learned afterwards is the same as if they had not
    been.
    """
    results = []
    for measure in (False, True):
        learner = new_learner(**{"facts.learning.placement": "shared"})
        tell(learner, TEXTS[0])
        if measure:
            evaluate(learner, [], AnchorSet(learner, held_out()[:3]), {})
        records = tell(learner, TEXTS[1])
        results.append([record.values["loss"] for record in records if record.event == "update"])
    assert results[0] == results[1] and results[0]


def test_held_in_and_held_out_anchors_are_disjoint():
    assert not {normalised(text) for text in held_in()} & {normalised(text) for text in held_out()}


def test_only_the_fact_is_rendered(new_learner, monkeypatch):
    """The renderer gets a fact, whose fields hold nothing but the turn and what was read from
    it.
    """
    seen, render = [], rehearsal_module.render
    monkeypatch.setattr(
        rehearsal_module,
        "render",
        lambda *arguments: (seen.append(arguments), render(*arguments))[1],
    )
    learner = new_learner()
    tell(learner, TEXTS[1])
    assert seen
    for fact, *others in seen:
        assert isinstance(fact, Fact) and fact.text == TEXTS[1] and fact.question is None
        assert {type(other).__name__ for other in others} == {
            "LanguageSection",
            "RenderingSection",
            "Random",
        }


def one_batch(learner, text, turn=1):
    tell(learner, text)
    fact = next(fact for fact in learner.memory.all() if fact.text == text)
    return fact, next(learner.lessons.batches(fact, random.Random(0), turn))


def test_held_rows_carry_the_bases_own_logits(new_learner):
    learner = new_learner(**{"facts.learning.placement": "shared", "facts.learning.lr": 0.05})
    _, batch = one_batch(learner, TEXTS[1])
    assert batch.held.ids.shape[0] == 4  # two anchors, two near misses
    assert torch.allclose(batch.held_logits, learner.adapted.base_logits(batch.held), atol=1e-4)
    assert not torch.allclose(batch.held_logits, learner.adapted.logits(batch.held), atol=1e-3)


def test_without_kl_nothing_is_held(new_learner):
    _, batch = one_batch(new_learner(**{"facts.kl.weight": 0.0}), TEXTS[1])
    assert batch.held is None and batch.held_logits is None


def test_replayed_rows_come_from_other_facts_at_their_weight(new_learner, encoded):
    learner = new_learner(
        **{
            "facts.replay.rows": 2,
            "facts.replay.weight": 0.25,
            "facts.token_weights": {
                "entity": 1.0,
                "content": 1.0,
                "filler": 1.0,
                "repeated": 1.0,
                "first": 1.0,
            },
        }
    )
    tell(learner, *TEXTS)
    encoded.clear()
    fact, batch = one_batch(learner, TEXTS[2], turn=9)
    rows = [example for example in encoded if example.kind != "anchor"][-5:]
    assert [row.fact_id == fact.id for row in rows] == [True, True, True, False, False]
    weights = [
        set(batch.rows.weights[row][batch.rows.labels[row] >= 0].tolist()) for row in range(5)
    ]
    assert weights == [{1.0}, {1.0}, {1.0}, {0.25}, {0.25}]


def test_replay_goes_round_all_facts(new_learner):
    """The least recently rehearsed come first, and being rehearsed is noted."""
    learner = new_learner(
        **{
            "facts.replay.rows": 1,
            "facts.replay.strategy": "least_rehearsed",
            "facts.learning.max_updates": 1,
            "facts.kl.weight": 0.0,
        }
    )
    names = ["Lena", "Ida", "Nils", "Vera", "Otto", "Rosa", "Karl", "Mia"]
    tell(learner, *[f"{name} lives in Oslo." for name in names])
    rehearsed = [entry.rehearsed for entry in learner.memory.entries()]
    assert rehearsed[0] > 0 and len([turn for turn in rehearsed if turn > 0]) >= 4


def test_token_weights_reach_the_batch(new_learner):
    learner = new_learner(
        **{
            "facts.kl.weight": 0.0,
            "facts.token_weights": {
                "entity": 4.0,
                "content": 2.0,
                "filler": 0.5,
                "repeated": 1.0,
                "first": 1.0,
            },
        }
    )
    _, batch = one_batch(learner, TEXTS[1])
    row = [
        weight
        for weight, label in zip(
            batch.rows.weights[0].tolist(), batch.rows.labels[0].tolist(), strict=True
        )
        if label >= 0
    ]
    answer = learner.lessons.examples(learner.memory.all()[0], random.Random(0))[0].answer
    start = answer.index("Oslo")
    assert row[start : start + 4] == [4.0] * 4
    assert row[-1] == 1.0 and len(row) == len(answer) + 1


def test_the_same_randomness_gives_the_same_batches(new_learner):
    learner = new_learner(**{"facts.replay.rows": 1})
    tell(learner, *TEXTS)
    fact = learner.memory.all()[1]
    drawn = []
    for seed in (1, 1, 2):
        batches = learner.lessons.batches(fact, random.Random(seed), 5)
        drawn.append(
            [
                torch.cat([batch.rows.ids.flatten(), batch.held.ids.flatten()])
                for batch, _ in zip(batches, range(4), strict=False)
            ]
        )
    same = [
        all(torch.equal(a, b) for a, b in zip(drawn[0], other, strict=True)) for other in drawn[1:]
    ]
    assert same == [True, False]


def test_balanced_alternates_questions_and_the_other_kinds():
    rows = [
        Example(f"{kind}{number}", "", kind)
        for kind in ("question", "cloze", "reverse")
        for number in range(3)
    ]
    assert [row.prompt for row in balanced(rows, 5)] == [
        "question0",
        "cloze0",
        "question1",
        "reverse0",
        "question2",
    ]
    assert len(balanced(rows, 99)) == 9 and balanced([], 4) == []


def test_one_answer_gives_every_row_the_statement_and_drops_denials(new_learner):
    kinds = ["question", "cloze", "reverse", "recall", "yes_no", "acknowledgement"]
    fact = detect(Turn("Lena lives in Oslo."), new_learner().language)
    rows = {}
    for one_answer in (True, False):
        learner = new_learner(
            **{
                "facts.learning.one_answer": one_answer,
                "facts.learning.row_kinds": kinds,
                "facts.learning.max_rows": 100,
            }
        )
        rows[one_answer] = learner.lessons.examples(fact, random.Random(0))
    assert {row.answer for row in rows[True]} == {"Lena lives in Oslo."}
    assert {row.kind for row in rows[True]} == set(kinds)
    prompts = {row.prompt for row in rows[True]}
    denied = [row for row in rows[False] if "do not know" in row.answer]
    assert denied and not prompts & {row.prompt for row in denied}


def test_a_fact_that_no_row_can_be_made_of_is_still_learned_from_its_own_words(new_learner):
    learner = new_learner(**{"facts.learning.row_kinds": ["cloze"]})
    rows = learner.lessons.examples(Fact("f", text="ok?", statement="ok?"), random.Random(0))
    assert [(row.prompt, row.answer) for row in rows] == [("ok?", "ok?")]
