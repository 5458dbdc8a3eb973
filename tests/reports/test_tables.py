from fledgling.core.records import judge
from fledgling.reports.tables import metric_table, verdict_table


def test_verdicts_in_order_with_their_measurements():
    table = verdict_table(
        [judge("efficacy", ">= 0.9", 0.98765), judge("anchor_kl", "<= 0.05", None)]
    )
    assert table.loc["efficacy"].tolist() == [">= 0.9", "0.9877", "passed"]
    assert table.loc["anchor_kl"].tolist() == ["<= 0.05", "not measured", "failed"]


def test_no_verdicts_make_an_empty_table():
    assert verdict_table([]).shape == (0, 3)


def test_metrics_stand_in_a_column_for_each_recipe():
    table = metric_table({"efficacy": 1.0, "prototype.efficacy": 0.0, "prototype.reverse": 0.5})
    assert table.loc["efficacy"].tolist() == ["1", "0"]
    assert table.loc["reverse"].tolist() == ["", "0.5"]
