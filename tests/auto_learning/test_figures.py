import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from fledgling.auto_learning import figures
from fledgling.auto_learning.areas import Area
from fledgling.auto_learning.live_view import GateView
from fledgling.auto_learning.metrics import (
    choices,
    course_of,
    join,
    median_and_power,
    promoted_by,
    share_right,
)
from fledgling.auto_learning.pareto import Choice
from fledgling.auto_learning.prediction import Bin
from fledgling.auto_learning.promotion.evidence import Evidence
from fledgling.auto_learning.promotion.trials import NEVER, Stops


@pytest.fixture
def view(section):
    return GateView(section, gain=0.05)


def test_the_view_draws_tasks_until_the_gate_has_decided(view):
    assert view.finding.verdict == "HOLD"
    finding = view.draw_tasks(5000)
    assert finding.verdict == "PROMOTE" and 200 < len(view.rows) < 5000
    count = len(view.rows)
    assert view.draw_tasks(100) == finding and len(view.rows) == count
    view.restart(-0.15)
    assert view.rows == [] and view.draw_tasks(5000).verdict == "ROLL BACK"


def test_the_widget_shows_what_the_view_knows(view):
    box = view.box
    controls, said, picture = box.children
    gain, tasks, draw, again = controls.children
    tasks.value = 60
    draw.click()
    assert len(view.rows) == 60 and bytes(picture.value).startswith(b"\x89PNG")
    assert said.value.startswith("HOLD")
    gain.value = -0.2
    again.click()
    assert view.gain == -0.2 and view.rows == []


def test_a_course_says_where_the_verdict_was_shown(view):
    finding = view.draw_tasks(5000)
    evidence = Evidence(tuple(view.rows))
    course = course_of(evidence, view.before, view.section, finding, "A test")
    at = course["at"]
    assert course["gain"][at - 1] >= course["gain_limit"] > max(course["gain"][: at - 1])
    assert course["low"][at - 1] >= 0.0 > course["low"][at - 2]
    assert json.loads(json.dumps(course)) == course


def test_rates_from_simulated_tests():
    one = Stops(
        np.array([10.0, NEVER]),
        np.array([NEVER, 5.0]),
        np.array([NEVER, NEVER]),
        np.array([3.0, 4.0]),
    )
    both = join([one, one])
    assert len(both.promoted) == 4
    assert {row["rule"]: row["promoted"] for row in promoted_by(both, 0.5)} == {
        "the gate": 0.5,
        "documented rule": 0.0,
        "peeked z-test": 1.0,
    }
    assert median_and_power(np.array([1.0, 2.0, NEVER, NEVER, NEVER])) == (NEVER, 0.4)


def test_small_sums():
    rows = [
        {"model": "a", "success": True, "score": 0.5, "seconds": 2.0},
        {"model": "a", "success": False, "score": 0.5, "seconds": 2.0},
    ]
    assert share_right(rows, "a") == 0.5 and share_right(rows, "b") == 0.0
    assert choices(rows[:1], 0.001) == [Choice("a", 0.5, 2.0, 0.002)]


def every_figure(view):
    """Each figure from plain records, as a stored run gives them."""
    report = {"high_quality": 6, "training": 5, "validation": 1, "rejected": {"not rated": 2}}
    rows = {"bronze": 10, "silver": 8, "quarantine": 2}
    yield figures.plot_collection(report, rows)
    yield figures.plot_collection({**report, "rejected": {}}, {**rows, "quarantine": 0})
    yield figures.plot_training([{"name": "m", "step": 0, "loss": 1.0}])
    yield view.figure()
    promoted = [
        {"rule": rule, "share": share, "promoted": 0.03}
        for rule in ("the gate", "peeked z-test")
        for share in (0.1, 0.5)
    ]
    yield figures.plot_false_promotions(promoted, bar=0.05)
    yield figures.plot_history(
        [
            {"alias": "champion", "model": "a", "hours": 0.0},
            {"alias": "challenger", "model": "b", "hours": 1.0},
            {"alias": "challenger", "model": None, "hours": 2.0},
            {"alias": "", "model": None, "hours": 3.0},
        ]
    )
    numbers = {"completion": 0.9, "quality": None}
    yield figures.plot_variants({"champion": numbers, "challenger": numbers})
    yield figures.plot_reliability([Bin(0.1, 0.2, 5), Bin(0.9, 0.8, 50)], error=0.1)
    yield figures.plot_areas([Area("login", 0.2, 0.4, 0.5, 7, 1e-3)])
    yield figures.plot_pareto([Choice("a", 0.5, 2.0, 0.1)], [])


def test_every_figure_says_what_it_shows_and_has_its_units(view):
    view.draw_tasks(100)
    for figure in every_figure(view):
        assert isinstance(figure, Figure)
        axes = [axis for axis in figure.axes if axis.get_visible()]
        assert axes and all(axis.get_title(loc="left") for axis in axes)
        assert any(axis.get_xlabel() or axis.get_ylabel() for axis in axes)
        figure.canvas.draw()
