"""The same tables in Ray Data, on a local Ray of two workers: only the engine changes."""

import pytest

from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.medallion.ray_data import open_table
from fledgling.core.errors import DataError, MissingExtra


@pytest.fixture
def filled(workspace, section, write_lines, outcome, now):
    told = [
        outcome(
            f"{day}-{n}",
            area=f"area-{n % 3}",
            finished=f"2026-09-0{day}T00:00:00Z",
            quality=3.0 + n % 3,
        )
        for day in (1, 2, 3)
        for n in range(9)
    ]
    write_lines("a", *told)
    pipeline.run(workspace, section, now)
    return workspace


@pytest.mark.server
def test_rays_sums_are_duckdbs(filled, section):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        tasks = open_table(filled, "tasks")
        assert tasks.count() == 27
        rows = tasks.groupby("area").sum("score").take_all()
    finally:
        ray.shutdown()
    ours = pipeline.query(filled, section, "SELECT area, sum(score) AS s FROM tasks GROUP BY area")
    assert {row["area"]: pytest.approx(row["sum(score)"]) for row in rows} == dict(
        zip(ours["area"], ours["s"], strict=True)
    )


def test_without_ray_the_install_command_is_said(filled, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtra, match="pip install"):
        open_table(filled, "tasks")


def test_a_table_without_rows_is_said(workspace):
    with pytest.raises(DataError, match="no rows"):
        open_table(workspace, "tasks")
