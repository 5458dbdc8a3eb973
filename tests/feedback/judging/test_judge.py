from dataclasses import replace

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.feedback.judging.classifier import (
    Coefficients,
    Fitting,
    fit_temperature,
    folds_of,
    softmax,
)
from fledgling.feedback.judging.dialogues import LABELS, Labelled
from fledgling.feedback.judging.fitting import fit
from fledgling.feedback.judging.judge import Judge, documented_rule, quality_of
from fledgling.feedback.judging.signals import Exchange
from fledgling.models.tiny import WordEmbedder

REACTIONS = {
    "positive": ["thanks, great", "perfect", "it works, thank you", "love it"],
    "negative": ["that's useless", "still broken", "come on, too long", "i don't get it"],
    "neutral": ["and which one for bread?", "how long?", "what about rye", "my oven is old"],
    "correction": ["no, it's rye", "wrong, twenty minutes", "rye, not wheat", "actually it is rye"],
}


def toy(count=24):
    return [
        Labelled(
            Exchange("how do i bake bread", "Use wheat, ten minutes.", reactions[n % 4]),
            label,
            ("rye", "twenty minutes") if label == "correction" else (),
            dialogue=f"d{n}",
        )
        for n in range(count)
        for label, reactions in REACTIONS.items()
    ]


@pytest.fixture(scope="module")
def judge(section, language):
    coefficients, _ = fit(toy(), WordEmbedder(), section.signals, language, Fitting(folds=3))
    return Judge(WordEmbedder(), section.signals, language, coefficients)


def exchange(reaction):
    return Exchange("how do i bake bread", "Use wheat, ten minutes.", reaction)


def test_it_learns_what_the_labels_have_in_common(judge):
    found = judge.judge([exchange(said) for said in ("perfect, thanks", "useless", "no, it's rye")])
    assert [one.label for one in found] == ["positive", "negative", "correction"]
    assert found[2].correction == "rye" and found[2].quality == 0.0
    assert all(0.25 <= one.confidence <= 1 for one in found)


def test_leaving_says_nothing_of_the_reply(judge):
    found = judge.judge([exchange(None), exchange("")])
    assert {one.label for one in found} == {"neutral"}
    assert found[0].signals == ("abandonment",)


def test_what_a_reader_says_is_weighed_where_the_judge_was_fitted_with_one(
    judge, section, language
):
    labelled = toy()
    sure = np.array([[one.label == label for label in LABELS] for one in labelled], dtype=float)
    coefficients, _ = fit(
        labelled, WordEmbedder(), section.signals, language, Fitting(folds=3), readings=sure
    )
    heard = []

    def read(pairs):
        heard.extend(pairs)
        return np.array([[0.0, 1.0, 0.0, 0.0]] * len(pairs))  # all negative

    told = Judge(WordEmbedder(), section.signals, language, coefficients, read)
    assert told.judge([exchange("fourteen o'clock")])[0].label == "negative"
    assert heard == [("how do i bake bread → Use wheat, ten minutes.", "fourteen o'clock")]
    assert judge.judge([exchange("fourteen o'clock")])[0].label != "negative"


def test_neutral_is_the_default_where_nothing_is_likely_enough(judge):
    unsure = replace(judge.coefficients, temperature=100.0)  # every label about as likely
    strict = Judge(judge.embedder, judge.section, judge.language, unsure)
    assert strict.judge([exchange("perfect, thanks")])[0].label == "neutral"


def test_what_is_stored_judges_the_same(judge, tmp_path):
    judge.coefficients.save(tmp_path / "judge.json")
    again = Judge(
        judge.embedder, judge.section, judge.language, Coefficients.load(tmp_path / "judge.json")
    )
    for said in ("thanks", "no, it's rye", "how long?"):
        one, two = judge.judge([exchange(said)])[0], again.judge([exchange(said)])[0]
        assert one.label == two.label and abs(one.confidence - two.confidence) < 1e-3


def test_cross_validation_never_tests_on_a_dialogue_it_was_fitted_on():
    names = [f"d{n % 7}" for n in range(50)] + ["exchange-1"]
    folds = folds_of(names, 3, np.random.default_rng(0))
    assert folds[-1] == -1 and set(folds[:-1]) == {0, 1, 2}
    assert all(
        len({f for f, n in zip(folds, names, strict=True) if n == name}) == 1 for name in names
    )


def test_the_temperature_softens_what_is_too_sure():
    generator = np.random.default_rng(0)
    truth = generator.integers(4, size=4000)
    scores = generator.normal(size=(4000, 4))
    scores[np.arange(4000), truth] += 1.0
    labels = np.array(LABELS)[truth]
    assert fit_temperature(scores * 3, labels) == pytest.approx(
        3 * fit_temperature(scores, labels), rel=0.05
    )
    assert softmax(np.array([[0.0, 0.0]])).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("label", "probability", "low", "high"),
    [("positive", 0.9, 0.6, 0.9), ("negative", 0.9, 0.0, 0.3), ("neutral", 0.5, 0.5, 0.6)],
)
def test_quality_lies_in_the_documented_range_of_its_label(section, label, probability, low, high):
    quality = quality_of(label, probability, section.signals)
    assert low <= quality <= high
    assert quality_of("correction", 1.0, section.signals) == 0.0
    surer = quality_of(label, 1.0, section.signals)
    assert surer == (low if label == "negative" else high)


def test_the_documented_rule_takes_every_follow_up_for_praise():
    said = exchange("and 3+3?")
    assert documented_rule(said, {"question"}, near=0.5, same_topic=0.35) == "positive"
    assert documented_rule(said, {"denial"}, near=0.5, same_topic=0.35) == "negative"
    assert documented_rule(said, set(), near=0.1, same_topic=0.35) == "neutral"


def test_coefficients_of_another_shape_are_refused(tmp_path):
    (tmp_path / "judge.json").write_text("{}")
    with pytest.raises(DataError, match="coefficients"):
        Coefficients.load(tmp_path / "judge.json")
    stored = Coefficients.load()
    with pytest.raises(DataError, match="fit it again"):
        stored.probabilities(np.zeros((1, 3)), ["other"])


def test_corrections_alone_teach_how_an_answer_is_given(section, language):
    taught = [
        Labelled(
            Exchange("which?", "This.", f"the right one would be {word} then"),
            "correction",
            (word,),
        )
        for word in ("red", "Oslo", "seven", "Ana", "basil", "copper")
    ]
    seen = exchange("the right one would be rye then")
    judges = [
        Judge(
            WordEmbedder(),
            section.signals,
            language,
            fit(toy(), WordEmbedder(), section.signals, language, Fitting(folds=3), more)[0],
        )
        for more in ([], taught)
    ]
    assert judges[1].answer(seen) == "rye"
    before, after = (one.coefficients.ranker for one in judges)
    assert before != after
