"""A whole stream through the tiny model."""

import pytest

from fledgling.core.paths import DATA
from fledgling.core.records import Turn
from fledgling.facts.learner import GateReaders
from fledgling.facts.measuring.experiments import run_stream
from fledgling.facts.measuring.streams import Probe, TaughtFact, read_fact_stream
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model

READER = GateReaders(WordEmbedder(), WordOverlap())
FACTS = read_fact_stream(DATA / "facts" / "tuning.jsonl")[:3]


def run(config, facts=FACTS, loaded=None, **options):
    return list(
        run_stream(
            loaded or tiny_model(),
            READER,
            config.facts,
            config.language,
            facts,
            anchors=["Hi", "Why?"],
            **options,
        )
    )


def numbers_of(records):
    return [
        (
            record.event,
            record.name,
            {key: value for key, value in record.values.items() if "second" not in key},
        )
        for record in records
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"facts.learning.placement": "shared", "facts.gate.enabled": False},
        {"facts.learning.placement": "in_prompt"},
        {"facts.learning.wait_for": 3},
    ],
)
def test_a_stream_ends_in_one_line_of_metrics(small_config, changes):
    records = run(small_config(**changes))
    assert [record.event for record in records].count("retention") == 3
    assert len([record for record in records if record.event == "probe"]) == sum(
        len(fact.probes) for fact in FACTS
    )
    assert [record.event for record in records].count("metrics") == 1
    metrics = records[-1].values
    assert records[-1].event == "metrics" and 0.0 <= metrics["efficacy"] <= 1.0
    assert {"backward_transfer", "forgetting", "updates_per_fact", "seconds_per_turn"} <= set(
        metrics
    )
    trained = changes.get("facts.learning.placement") != "in_prompt"
    assert metrics["updates_per_fact"] == (2.0 if trained else 0.0)
    assert (metrics["seconds_per_update"] is not None) == trained


def test_the_retention_matrix_has_a_row_for_each_step(small_config):
    records = run(small_config(), matrix=True)
    rows = [record.values["scores"] for record in records if record.event == "retention"]
    assert [len(row) for row in rows] == [1, 2, 3] and all(
        score is not None for row in rows for score in row
    )
    only_new = [
        record.values["scores"] for record in run(small_config()) if record.event == "retention"
    ]
    assert [row[:-1] for row in only_new] == [[], [None], [None, None]]


def test_the_same_seed_gives_the_same_run(small_config):
    first, again = run(small_config(), seed=1), run(small_config(), seed=1)
    assert numbers_of(first) == numbers_of(again)
    assert numbers_of(first) != numbers_of(run(small_config(), seed=2))


def test_the_model_is_given_back_even_when_the_caller_stops(small_config):
    loaded = tiny_model()
    stream = run_stream(
        loaded, READER, small_config().facts, small_config().language, FACTS, anchors=["Hi"]
    )
    next(stream)
    assert any("lora" in name for name, _ in loaded.model.named_parameters())
    stream.close()
    assert not any("lora" in name for name, _ in loaded.model.named_parameters())


def test_facts_without_direct_probes_are_measured_as_far_as_they_can_be(small_config):
    facts = [
        TaughtFact(
            "a", Turn("Lena lives in Oslo."), (Probe("reverse", "Who is in Oslo?", ("Lena",)),)
        ),
        TaughtFact("b", Turn("Tom is my friend."), ()),
        TaughtFact(
            "c", Turn("Ida plays the viola."), (Probe("direct", "What does Ida play?", ("viola",)),)
        ),
    ]
    metrics = run(small_config(), facts)[-1].values
    assert metrics["backward_transfer"] is None and metrics["generalization"] is None
    assert metrics["efficacy"] in (0.0, 1.0) and metrics["near_miss"] is None
