"""Scoring of answers, and the editing metrics on a handful of results by hand."""

from fledgling.facts.measuring.editing import (
    NeighbourResult,
    ProbeResult,
    editing_metrics,
    share,
)


def probe(kind, hit, opened, exact=False):
    return ProbeResult("f", kind, "?", "", hit, exact, opened)


def neighbour(kind, hit, opened):
    return NeighbourResult("f", kind, "?", "", "", hit, opened)


def test_metrics_by_hand():
    probes = [
        probe("direct", True, True, exact=True),
        probe("direct", False, False),
        probe("paraphrase", True, True),
        probe("reverse", False, True),
    ]
    neighbours = [
        neighbour("other_subject", True, True),
        neighbour("other_subject", False, False),
        neighbour("other_relation", False, False),
        neighbour("other_relation", False, False),
    ]
    assert editing_metrics(probes, neighbours) == {
        "efficacy": 0.5,
        "efficacy.exact": 0.5,
        "generalization": 1.0,
        "generalization.exact": 0.0,
        "reverse": 0.0,
        "reverse.exact": 0.0,
        "near_miss": 0.25,
        "near_miss.other_subject": 0.5,
        "near_miss.other_relation": 0.0,
        "gate_recall": 0.75,
        "gate_precision": 0.75,
    }


def test_what_was_not_asked_is_none_and_not_zero():
    metrics = editing_metrics([], [])
    assert set(metrics.values()) == {None}
    assert share([]) is None
