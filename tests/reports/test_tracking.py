import sys

import pytest

from fledgling.core.errors import MissingExtra
from fledgling.reports import tracking
from fledgling.reports.results import stored_runs
from fledgling.reports.tracking import allowed, log_runs


@pytest.fixture
def runs(tmp_path, store_run):
    verdict = {"metric": "efficacy", "target": ">= 0.9", "measured": 0.5, "passed": False}
    metrics = {"efficacy": 0.5, "use.yes_no": None, "accuracy.a&b": 1.0}
    many = {f"p{number}": number for number in range(120)} | {"facts": "x" * 9000}
    store_run(tmp_path, "nb", "good", metrics=metrics, verdicts=[verdict], parameters=many)
    store_run(tmp_path, "nb", "bad", status="failed", error="ValueError")
    return stored_runs(tmp_path)[0]


def test_without_mlflow_the_install_command_is_named(runs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow.entities", None)
    with pytest.raises(MissingExtra, match=r"pip install 'fledgling\[mlflow\]'"):
        log_runs(runs, f"sqlite:///{tmp_path}/runs.db", tmp_path)


def test_a_metric_keeps_its_name_where_mlflow_takes_it():
    assert [allowed(name) for name in ("use.yes_no", "a&b", "a/b c")] == [
        "use.yes_no",
        "a_b",
        "a/b c",
    ]


def test_every_run_is_logged_once(runs, tmp_path):
    mlflow = pytest.importorskip("mlflow.tracking", reason="mlflow is not installed")
    uri = f"sqlite:///{tmp_path}/runs.db"
    assert log_runs(runs, uri, tmp_path / "artifacts") == 2
    assert log_runs(runs, uri, tmp_path / "artifacts") == 0
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("nb").experiment_id
    logged = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert logged["good"].data.metrics == {"efficacy": 0.5, "accuracy.a_b": 1.0}
    assert logged["good"].data.params["p119"] == "119"
    assert logged["good"].data.tags["verdict.efficacy"] == "failed (>= 0.9)"
    assert (logged["good"].info.status, logged["bad"].info.status) == ("FINISHED", "FAILED")
    assert tracking.log_runs(runs, uri, tmp_path / "artifacts") == 0
    names = {file.path for file in client.list_artifacts(logged["good"].info.run_id)}
    assert {"results.json", "notebook.ipynb"} <= names
