import pandas
import pytest

from fledgling.core.errors import RunError
from fledgling.core.files import read_yaml
from fledgling.reports.sweep_pages import plot_sweep, write_sweep
from fledgling.reports.sweeps import collect, grid, plan_sweep


def test_the_last_name_varies_fastest():
    assert grid({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_a_parameter_without_values_is_refused():
    with pytest.raises(RunError, match="'lr' has no values"):
        grid({"lr": []})


def test_every_point_is_a_checked_request_of_its_own(tmp_path, write_notebook):
    notebook = write_notebook(tmp_path / "nb.ipynb")
    axes = {"lr": ["0.1", "0.2"], "seed": ["0", "1"]}
    sweep = plan_sweep(notebook, axes, parameters={"steps": "2"})
    assert len({request.run_id for request in sweep.requests}) == 4 and sweep.axes == ("lr",)
    assert [(request.seed, request.parameters) for request in sweep.requests[:2]] == [
        (0, {"steps": 2, "lr": 0.1}),
        (1, {"steps": 2, "lr": 0.1}),
    ]
    with pytest.raises(RunError, match="no parameter 'rl'"):
        plan_sweep(notebook, {"rl": ["1"]})


def test_a_dotted_axis_is_a_value_of_the_configuration(tmp_path, write_notebook):
    sweep = plan_sweep(write_notebook(tmp_path / "nb.ipynb"), {"facts.learning.lr": ["1e-3"]})
    assert sweep.requests[0].settings == {"facts.learning.lr": 0.001}
    without = write_notebook(tmp_path / "plain.ipynb", parameters="steps: int = 3  # updates")
    with pytest.raises(RunError, match="plain reads no configuration"):
        plan_sweep(without, {"facts.learning.lr": ["1e-3"]})


@pytest.fixture
def swept(tmp_path, write_notebook, store_run):
    """Two rates by two recipes by three seeds; one run failed and one was never made."""
    axes = {"lr": [0.1, 0.2], "facts.adapter.rank": [4, 8], "seed": [0, 1, 2]}
    sweep = plan_sweep(write_notebook(tmp_path / "nb.ipynb"), axes)
    for place, request in enumerate(sweep.requests[:-1]):
        lr, rank = request.parameters["lr"], request.settings["facts.adapter.rank"]
        loss = 1.0 - lr + rank / 100 + request.seed / 10
        failed = place == 4
        store_run(
            tmp_path / "reports",
            "nb",
            f"{request.run_id}-failed" if failed else request.run_id,
            seed=request.seed,
            status="failed" if failed else "ok",
            error="ValueError: <diverged>" if failed else None,
            parameters={"lr": lr, "facts.adapter.rank": rank},
            metrics={} if failed else {"loss": loss, "other.loss": 0.0, "efficacy": lr},
            verdicts=[{"metric": "loss", "target": "<= 1", "measured": loss, "passed": loss <= 1}],
        )
    return sweep, tmp_path / "reports"


def test_seeds_are_gathered_and_failures_are_not_averaged(swept):
    sweep, reports = swept
    points = sweep.points(reports)
    assert [point.values for point in points] == [(0.1, 4), (0.1, 8), (0.2, 4), (0.2, 8)]
    assert [len(point.runs) for point in points] == [3, 2, 3, 2]
    found = points[0].interval("loss")
    assert found.mean == pytest.approx(1.04) and found.count == 3 and found.low < 1.0
    table = collect(sweep.stored(reports))
    assert len(table) == 11 and (table["status"] == "failed").sum() == 1


def test_less_is_better_where_the_target_says_so(swept):
    sweep, reports = swept
    page, found = write_sweep(sweep, reports)
    assert found.point.values == (0.2, 4)
    assert found.sentence.startswith("loss is lowest at lr 0.2, facts.adapter.rank 4: 0.94 [")
    assert read_yaml(page.parent / "best_preset.yaml") == {
        "extends": "quick",
        "facts": {"adapter": {"rank": 4}},
    }
    assert read_yaml(page.parent / "best_parameters.yaml") == {"lr": 0.2}
    _, other = write_sweep(sweep, reports, metric="efficacy")
    assert other.sentence.startswith("efficacy is highest at lr 0.2")
    with pytest.raises(RunError, match="has a metric 'los'; did you mean 'loss'"):
        write_sweep(sweep, reports, metric="los")


def test_the_page_lists_what_failed_and_what_is_missing(swept):
    sweep, reports = swept
    page, _ = write_sweep(sweep, reports)
    html = page.read_text(encoding="utf-8")
    assert "ValueError: &lt;diverged&gt;" in html and "1 of them are still to be made" in html
    assert html.count('src="data:image/png;base64,') == 1 and "<script" not in html
    assert pandas.read_csv(page.parent / "sweep.csv")["lr"].tolist().count(0.2) == 5


def test_small_multiples_show_each_metric_with_its_intervals(swept):
    sweep, reports = swept
    points = sweep.points(reports)
    figure = plot_sweep(points, sweep.axes, ["loss", "efficacy"], title="A finding")
    panels = [panel for panel in figure.axes if panel.get_visible()]
    assert [panel.get_title(loc="left") for panel in panels] == ["loss", "efficacy"]
    assert len(panels[0].containers) == 2  # a line for each rank, with error bars
    assert [text.get_text() for text in panels[0].get_xticklabels()] == ["0.1", "0.2"]


def test_a_sweep_without_a_finished_run_says_so(tmp_path, write_notebook):
    sweep = plan_sweep(write_notebook(tmp_path / "nb.ipynb"), {"seed": [0, 1]})
    page, found = write_sweep(sweep, tmp_path / "reports")
    assert found is None and "No run ended well yet" in page.read_text(encoding="utf-8")
