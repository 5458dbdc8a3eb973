import pandas
import pytest

from fledgling.core.errors import RunError
from fledgling.reports.sweeps import collect, grid, plan_sweep, write_table


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
    requests = plan_sweep(
        notebook, {"lr": ["0.1", "0.2"], "seed": ["0", "1"]}, parameters={"steps": "2"}
    )
    assert len({request.run_id for request in requests}) == 4
    assert [(request.seed, dict(request.parameters)) for request in requests[:2]] == [
        (0, {"steps": 2, "lr": 0.1}),
        (1, {"steps": 2, "lr": 0.1}),
    ]
    with pytest.raises(RunError, match="no parameter 'rl'"):
        plan_sweep(notebook, {"rl": ["1"]})


def test_finished_runs_make_a_table(tmp_path, write_notebook, store_run):
    requests = plan_sweep(write_notebook(tmp_path / "nb.ipynb"), {"lr": [0.1, 0.2, 0.3]})
    for request, efficacy in zip(requests[:2], (0.5, None), strict=True):
        store_run(
            tmp_path / "reports",
            "nb",
            request.run_id,
            parameters=dict(request.parameters),
            metrics={"efficacy": efficacy},
        )
    table = collect(requests, tmp_path / "reports")
    assert table["lr"].tolist() == [0.1, 0.2]
    path = write_table(table, tmp_path / "sweep.csv")
    assert pandas.read_csv(path)["efficacy"].isna().tolist() == [False, True]


def test_no_finished_run_makes_an_empty_table(tmp_path, write_notebook):
    requests = plan_sweep(write_notebook(tmp_path / "nb.ipynb"), {"lr": [0.1]})
    assert collect(requests, tmp_path).shape == (0, 5)
