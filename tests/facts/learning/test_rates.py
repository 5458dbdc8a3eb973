"""Rates by context, with bounds."""

import pytest

from fledgling.facts.learning.rates import context_rate
from fledgling.facts.settings import RatesSection

RATES = RatesSection(regular=0.2, question=0.4, repeated=1.2, largest=1.4)


@pytest.mark.parametrize(
    ("context", "factor"), [("regular", 0.2), ("question", 0.4), ("fact", 1.0)]
)
def test_each_context_has_its_multiplier(context, factor):
    assert context_rate(0.01, context, RATES) == pytest.approx(0.01 * factor)


@pytest.mark.parametrize(
    ("repetitions", "factor"), [(0, 1.0), (1, 1.0), (2, 1.2), (3, 1.4), (10_000, 1.4)]
)
def test_a_fact_heard_again_learns_faster_up_to_the_bound(repetitions, factor):
    assert context_rate(0.01, "fact", RATES, repetitions=repetitions) == pytest.approx(
        0.01 * factor
    )


def test_only_facts_grow_with_repetition():
    assert context_rate(1.0, "question", RATES, repetitions=9) == 0.4


def test_an_unknown_context_is_refused():
    with pytest.raises(KeyError, match="shout"):
        context_rate(1.0, "shout", RATES)
