"""Rates by context, with bounds."""

import pytest

from fledgling.facts.learning.rates import context_rate
from fledgling.facts.settings import RatesSection

RATES = RatesSection(regular=1.0, question=2.0, fact=5.0, repeated=1.2, replay=0.5, smallest=0.6, largest=7.0)


@pytest.mark.parametrize(
    ("context", "factor"), [("regular", 1.0), ("question", 2.0), ("fact", 5.0), ("replay", 0.6)]
)
def test_each_context_has_its_multiplier_and_a_lower_bound(context, factor):
    assert context_rate(0.01, context, RATES) == pytest.approx(0.01 * factor)


@pytest.mark.parametrize(("repetitions", "factor"), [(0, 5.0), (1, 5.0), (2, 6.0), (3, 7.0), (10_000, 7.0)])
def test_a_fact_heard_again_learns_faster_up_to_the_bound(repetitions, factor):
    assert context_rate(0.01, "fact", RATES, repetitions=repetitions) == pytest.approx(0.01 * factor)


def test_only_facts_grow_with_repetition():
    assert context_rate(1.0, "question", RATES, repetitions=9) == 2.0


def test_an_unknown_context_is_refused():
    with pytest.raises(KeyError, match="shout"):
        context_rate(1.0, "shout", RATES)
