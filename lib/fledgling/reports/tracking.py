"""Finished runs as MLflow runs, for people who keep their experiments there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fledgling.core.errors import MissingExtra
from fledgling.reports.results import StoredRun

_TAG = "fledgling.run"
_STATUS = {"ok": "FINISHED", "failed": "FAILED", "timeout": "KILLED"}
_BATCH = 100  # parameters that MLflow takes in one call
_LONGEST = 500  # characters of a parameter that every MLflow store keeps


def log_runs(runs: Sequence[StoredRun], uri: str, artifacts: Path) -> int:
    """Log each run that the MLflow store at ``uri`` does not have yet: metrics, parameters,
    verdicts as tags, its folder as artifacts; one experiment a notebook. Returns how many were new.
    Raises ``MissingExtra`` where MLflow is not installed.
    """
    try:
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        needed = "pip install 'fledgling[mlflow]'"
        raise MissingExtra("mlflow", needed, "opening runs in MLflow") from error
    client = MlflowClient(tracking_uri=uri)
    new = 0
    for run in sorted(runs, key=lambda run: run.results.started):
        found = run.results
        experiment = client.get_experiment_by_name(found.notebook)
        number = experiment.experiment_id if experiment else None
        if number is None:
            place = (artifacts / found.notebook).resolve().as_uri()
            number = client.create_experiment(found.notebook, artifact_location=place)
        name = f"{run.folder.name} {found.started}"
        if client.search_runs([number], f"tags.`{_TAG}` = '{name}'", max_results=1):
            continue
        began = int(datetime.fromisoformat(found.started).timestamp() * 1000)
        tags = {_TAG: name, "status": found.status, **verdict_tags(run)}
        made = client.create_run(number, began, tags, run.folder.name).info.run_id
        parameters = {"preset": found.preset, "seed": found.seed, **found.parameters}
        rows = [Param(name, str(value)[:_LONGEST]) for name, value in parameters.items()]
        for start in range(0, len(rows), _BATCH):
            client.log_batch(made, params=rows[start : start + _BATCH])
        values = [
            Metric(allowed(name), value, began, 0)
            for name, value in found.metrics.items()
            if value is not None
        ]
        client.log_batch(made, metrics=values)
        client.log_artifacts(made, str(run.folder))
        client.set_terminated(made, _STATUS[found.status], began + int(found.seconds * 1000))
        new += 1
    return new


def verdict_tags(run: StoredRun) -> dict[str, str]:
    """``verdict.efficacy`` → ``passed (>= 0.9)``."""
    return {
        f"verdict.{allowed(verdict.metric)}": (
            f"{'passed' if verdict.passed else 'failed'} ({verdict.target})"
        )
        for verdict in run.results.verdicts
    }


def allowed(name: str) -> str:
    """A metric's name in the characters that MLflow takes."""
    return re.sub(r"[^\w\-. :/]", "_", name)
