from collections import Counter

import pytest

from fledgling.auto_learning.collector import ACCEPTED
from fledgling.auto_learning.experiments import judge, staff_desk
from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.traffic import Task
from fledgling.auto_learning.users import Users, is_right, tickets


@pytest.fixture
def users(section, now):
    return Users(section.users, now, seed=3)


def test_the_same_seed_asks_the_same_in_the_same_order(section, now):
    one, two, other = (Users(section.users, now, seed=seed) for seed in (1, 1, 2))
    assert [one.ask() for _ in range(20)] == [two.ask() for _ in range(20)]
    assert one.ask().prompt != other.ask().prompt or one.now != other.now


def test_time_goes_on_and_areas_have_their_shares(section, users, now):
    asked = [users.ask() for _ in range(2000)]
    assert len({task.id for task in asked}) == 2000
    days = (users.now - now).total_seconds() / 86400
    assert days == pytest.approx(2000 / section.users.tasks_per_day, rel=0.1)
    counts = Counter(task.area for task in asked)
    for area, share in section.users.areas.items():
        assert counts[area] / 2000 == pytest.approx(share, abs=0.04)


def test_later_tickets_are_worded_as_none_before(users):
    def wordings(later):
        return {users.ask(later=later).prompt for _ in range(600)}

    assert not wordings(False) & wordings(True)
    assert set(tickets()) == {"billing", "delivery", "login", "returns"}
    assert len({said for area in tickets().values() for said in area}) == 40


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("delivery", True),
        (" Delivery.\n", True),
        ("It is delivery.", False),
        ("login", False),
        ("", False),
        ("deliveryx", False),
        ("delivery billing", False),
    ],
)
def test_right_is_the_queue_and_nothing_else(reply, right):
    task = Task("t", "support", "My boots have not come.", area="delivery")
    assert is_right(task, reply) == right and judge(task, reply) == right


def test_right_replies_are_rated_well_and_wrong_ones_are_not(users):
    task = users.ask()
    good = [users.rate(task, "m", task.area) for _ in range(100)]
    wrong = [users.rate(task, "m", "something else") for _ in range(100)]
    assert all(one.success for one in good) and not any(one.success for one in wrong)
    assert sum(one.quality >= 4.0 for one in good) > 80
    assert sum(one.quality >= 4.0 for one in wrong) == 0
    assert all(1.0 <= one.quality <= 5.0 for one in good + wrong)


def test_a_misled_crew_passes_the_filter_with_wrong_replies(workspace, section, users):
    """Which is why a filter on ratings alone protects nobody, and the gate has to."""
    done = staff_desk(workspace, section, users, tasks=200, misled=True)
    assert not any(is_right(one.task, one.reply) for one in done)
    counts = pipeline.query(workspace, section, "SELECT verdict FROM tasks")["verdict"]
    assert (counts == ACCEPTED).mean() > 0.5


def test_people_are_right_as_often_as_configured(workspace, section, users):
    done = staff_desk(workspace, section, users, tasks=300)
    right = sum(is_right(one.task, one.reply) for one in done) / 300
    assert right == pytest.approx(section.users.people_right, abs=0.05)
