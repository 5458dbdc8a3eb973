from fledgling.core.records import Interval, judge
from fledgling.reports.tables import verdict_table


def test_verdicts_in_order_with_their_measurements():
    verdicts = [judge("efficacy", ">= 0.9", 0.98765), judge("anchor_kl", "<= 0.05", None)]
    table = verdict_table(verdicts)
    assert table.loc["efficacy"].tolist() == [">= 0.9", "0.9877", "passed"]
    assert table.loc["anchor_kl"].tolist() == ["<= 0.05", "not measured", "failed"]


def test_a_claim_carries_its_interval():
    table = verdict_table([judge("efficacy", ">= 0.9", Interval(0.95, 0.764, 0.991, 20))])
    assert table.loc["efficacy", "measured"] == "0.95 [0.764, 0.991]"


def test_no_verdicts_make_an_empty_table():
    assert verdict_table([]).shape == (0, 3)
