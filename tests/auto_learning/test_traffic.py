import time

import numpy as np
import pytest

from fledgling.auto_learning import rollout
from fledgling.auto_learning.traffic import Assignment, Task, assign, serve, uniform
from fledgling.core.errors import ModelError
from fledgling.core.layers import override


def task(number, user="kim"):
    return Task(f"task-{number}", "support", "Where is it?", user)


def test_without_a_test_the_champion_does_everything(workspace, section, world):
    chosen = assign(workspace, task(1), section.gate, world.now)
    assert chosen == Assignment("support-base", "champion")
    assert workspace.store.execute("SELECT count(*) FROM assignments").fetchone()[0] == 0


def test_a_master_without_a_champion_is_said(workspace, section, now):
    with pytest.raises(ModelError, match="no champion"):
        assign(workspace, task(1), section.gate, now)


def test_the_challenger_gets_its_share_and_a_task_its_model_for_good(workspace, section, world):
    rollout.deploy(workspace, section, world.model("m"), world.now)
    first = [assign(workspace, task(n), section.gate, world.now).model for n in range(1000)]
    again = [assign(workspace, task(n), section.gate, world.now).model for n in range(1000)]
    assert first == again
    assert first.count("m") == pytest.approx(100, abs=3 * 9.5)


def test_a_growing_share_takes_nobody_from_the_challenger():
    draws = [uniform("test 1", f"user-{number}") for number in range(1000)]
    few, many = ({n for n, u in enumerate(draws) if u < share} for share in (0.1, 0.5))
    assert few < many


def test_draws_are_even_and_differ_from_test_to_test():
    one = np.array([uniform("test 1", f"user-{number}") for number in range(4000)])
    two = np.array([uniform("test 2", f"user-{number}") for number in range(4000)])
    counts, _ = np.histogram(one, bins=10, range=(0, 1))
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi-square, nine degrees, one in a thousand
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.05


def test_with_users_as_units_all_tasks_of_one_go_one_way_and_one_is_evidence(
    workspace, section, world
):
    by_user = override(section, {"gate.unit": "user", "gate.canary_share": 0.5})
    rollout.deploy(workspace, by_user, world.model("m"), world.now)
    chosen = {
        user: {
            assign(workspace, task(f"{user}-{n}", user), by_user.gate, world.now).variant
            for n in range(5)
        }
        for user in map(str, range(40))
    }
    assert all(len(variants) == 1 for variants in chosen.values())
    assert {variant for variants in chosen.values() for variant in variants} == {
        "champion",
        "challenger",
    }
    counted = workspace.store.execute("SELECT count(*) FROM assignments WHERE counts").fetchone()
    assert counted[0] == 40


def upper(prompts):
    return [prompt.upper() for prompt in prompts]


def lower(prompts):
    return [prompt.lower() for prompt in prompts]


@pytest.mark.parametrize(
    ("challenger", "fault"),
    [
        (lambda prompts: 1 / 0, "crashed: ZeroDivisionError"),
        (lambda prompts: time.sleep(30), "stalled"),
        (lambda prompts: [" \n\t"] * len(prompts), "said nothing"),
        (lambda prompts: [None] * len(prompts), "said NoneType"),
        (lambda prompts: prompts[:1], "gave 1 replies to 2 prompts"),
    ],
)
def test_where_a_challenger_fails_the_champion_answers(section, challenger, fault):
    quick = override(section.serving, {"stall_s": 0.2})
    variants = ["challenger", "champion", "challenger"]
    served = serve(
        ["A?", "B?", "C?"], variants, champion=upper, challenger=challenger, section=quick
    )
    assert [one.reply for one in served] == ["A?", "B?", "C?"]
    assert [fault in one.fault for one in served] == [True, False, True]
    assert served[1].fault == ""


def test_only_what_failed_is_answered_by_the_champion(section):
    served = serve(
        ["A?", "b?"],
        ["challenger", "challenger"],
        champion=upper,
        challenger=lambda prompts: ["yes", ""],
        section=section.serving,
    )
    assert [(one.reply, one.fault) for one in served] == [("yes", ""), ("B?", "said nothing")]


def test_a_sound_reply_is_the_challengers_own(section):
    given = {"champion": upper, "challenger": lower, "section": section.serving}
    served = serve(["Hello?", "Hello?"], ["challenger", "champion"], **given)
    assert [one.reply for one in served] == ["hello?", "HELLO?"]
    assert not any(one.fault for one in served)
    assert serve([], [], **given) == []
