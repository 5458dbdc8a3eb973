"""Quality and the decision rule, on hand-made embeddings: no model."""

import numpy as np
import pytest

from fledgling.settings import load_config
from fledgling.teachers.aggregators.decision import agree_already, decide, weigh
from fledgling.teachers.aggregators.quality import (
    completeness,
    form_quality,
    quality,
    substance,
    variety,
)
from fledgling.teachers.aggregators.trust import Trust
from fledgling.teachers.answers import Answer

SECTION = load_config().teachers
QUESTION = "What is the capital of Peru?"


def embed(texts: list[str]) -> np.ndarray:
    """All texts alike: only words and contradictions tell them apart."""
    return np.ones((len(texts), 1), dtype=np.float32)


def answers(*texts: str, confidence: float = 0.9) -> list[Answer]:
    return [Answer(text, f"t{place}", confidence) for place, text in enumerate(texts)]


def rule(**changes: object) -> object:
    return SECTION.model_copy(update={"decision": SECTION.decision.model_copy(update=changes)})


def trust(*weights: float) -> Trust:
    count = len(weights)
    return Trust(
        tuple(f"t{place}" for place in range(count)),
        np.array(weights),
        np.zeros((count, count)),
        np.ones(count),
        np.zeros(0),
        np.zeros(0),
    )


def test_quality_parts() -> None:
    rules = SECTION.quality
    whole = ["It is Lima.", "Lima", "It is the city of the"]
    assert [completeness(text, rules) for text in whole] == [1.0, 1.0, 0.3]
    said = ["I’m not sure about that.", "It is Lima.", "?!"]
    assert [substance(text, rules) for text in said] == [0.2, 1.0, 0.0]
    assert (
        variety("so so so so so so so so") < 0.3 < variety("It is the city of Lima on the coast.")
    )
    section = SECTION.quality
    assert form_quality("It is Lima.", 1.0, section) == pytest.approx(1.0)
    assert form_quality("It is Lima.", 0.0, section) < 1.0
    assert quality(Answer("It is Lima.", "t", error="timeout"), 1.0, section) == 0.0
    assert quality(Answer("It is Lima.", "t", confidence=0.0), 1.0, section) == pytest.approx(
        1 - section.confidence_weight
    )


def test_agreement_gives_the_best_and_a_split_a_caveat() -> None:
    best = decide(
        QUESTION, answers("It is Lima.", "Lima", "The capital of Peru is Lima."), SECTION, embed
    )
    assert (best.kind, best.flagged, best.agreement) == ("best", False, 1.0)
    split = decide(QUESTION, answers("It is Lima.", "Lima", "Cusco"), SECTION, embed)
    assert split.kind == "caveat" and not split.flagged and "Lima" in split.text
    assert split.confidence < best.confidence


def test_no_consensus_and_low_quality_are_flagged() -> None:
    apart = decide(QUESTION, answers("Lima", "Cusco", "Arequipa"), SECTION, embed)
    assert apart.flagged and "minimum consensus" in apart.reason
    poor = decide(QUESTION, answers("Lima", "Lima", confidence=0.1), SECTION, embed)
    assert poor.flagged and "quality" in poor.reason


def test_thresholds_come_from_the_configuration() -> None:
    given = answers("It is Lima.", "Lima", "Cusco")
    assert decide(QUESTION, given, rule(agreement=0.6), embed).kind == "best"
    assert decide(QUESTION, given, rule(consensus=0.9), embed).flagged


def test_nobody_answered_is_an_abstention_that_says_why() -> None:
    decision = decide(QUESTION, [Answer("", "t0", error="rate_limit: HTTP 429")], SECTION, embed)
    assert decision.kind == "abstain" and decision.flagged and "429" in decision.reason
    assert decide(QUESTION, [], SECTION, embed).kind == "abstain"


def test_choices_differ_where_they_should() -> None:
    given = [
        Answer("Lima", "t0", 0.3),
        Answer("It is Lima.", "t1", 0.3),
        Answer("It is Cusco.", "t2", 0.9),
    ]
    assert "Lima" in decide(QUESTION, given, rule(choice="majority"), embed).text
    assert "Cusco" in decide(QUESTION, given, rule(choice="weighted"), embed).text
    trusted = decide(QUESTION, given, rule(choice="trust"), embed, trust=trust(0.2, 0.2, 4.0))
    assert "Cusco" in trusted.text and trusted.confidence > 0.9


def test_trust_abstains_and_flags_unanimous_teachers_it_does_not_believe() -> None:
    alike = answers("It is Cusco.", "Cusco", "It is Cusco.")
    doubted = decide(QUESTION, alike, SECTION, embed, trust=trust(0.3, 0.3, 0.3))
    assert doubted.kind == "best" and doubted.flagged and "they agree, but" in doubted.reason
    refused = decide(QUESTION, alike, SECTION, embed, trust=trust(-1.0, 0.0, 0.0))
    assert refused.kind == "abstain" and refused.text == "" and refused.flagged


def test_failed_answers_are_kept_but_not_weighed() -> None:
    given = [*answers("It is Lima.", "Lima"), Answer("Cusco", "late", error="timeout")]
    assert len(weigh(QUESTION, given, SECTION, embed).answers) == 2
    assert len(decide(QUESTION, given, SECTION, embed).answers) == 3


def test_a_quorum_that_agrees_is_enough() -> None:
    assert agree_already(answers("It is Lima.", "Lima"), SECTION, embed)
    assert not agree_already(answers("It is Lima.", "Cusco"), SECTION, embed)
