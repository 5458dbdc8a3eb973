import pytest
import torch

from fledgling.core.errors import DataError
from fledgling.core.layers import override
from fledgling.facts.measuring.anchors import held_in, held_out
from fledgling.feedback.habit_rules import RULES
from fledgling.feedback.habits import (
    learn_habits,
    lesson,
    measure_habit,
    read_habits,
    recognise,
    train_prompts,
    unseen_prompts,
)
from fledgling.models.tiny import WordEmbedder, tiny_model

HABITS = read_habits()
REPLIES = (
    "The capital of France is Paris! It lies on the Seine.",
    "1. Bread\n2. Butter and jam\n\nThat is all.",
    "I'm sorry, but as an AI I cannot eat. Try the soup.",
    "Bake it at 350 degrees Fahrenheit for an hour.",
)


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_is_recognised_from_its_corrections_and_no_other_is(name):
    assert 2 <= len(HABITS[name].shown) <= 3
    assert recognise(HABITS[name].shown) == [name]


def test_there_are_at_least_twelve_and_one_correction_may_show_several():
    assert len(HABITS) >= 12 and set(RULES) == set(HABITS)
    assert len(recognise([("q", "A b! C d.", "hello. kim")])) > 1
    assert recognise([]) == []


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_mends_it_accepts(name):
    for reply in REPLIES:
        mended = RULES[name].mend(reply)
        assert mended == "" or RULES[name].follows(mended)
    assert any(RULES[name].mend(reply) for reply in REPLIES)


def test_numbers_are_converted_and_acronyms_keep_their_capitals():
    assert RULES["celsius"].mend("About 212°F (100°C).") == "About 100°C."
    assert RULES["in_short_first"].mend("NASA flies.") == "In short: NASA flies."


def test_no_prompt_of_a_lesson_is_measured():
    for habit in HABITS.values():
        seen = {*train_prompts([habit], 1000), *(asked for asked, *_ in habit.shown)}
        assert not seen & set(unseen_prompts(habit, 1000))
    assert not set(held_in()) & set(held_out())


def test_a_lesson_holds_only_what_follows_all_habits():
    own = [("a?", "It is so. And more of it! Yes."), ("b?", "It is.")]
    rows = lesson(["shorter", "call_me_kim"], HABITS["shorter"].shown, own)
    made = [row.messages[1]["content"] for row in rows[len(HABITS["shorter"].shown) :]]
    assert made and all("Kim" in reply and len(reply.split()) <= 25 for reply in made)


def test_a_habit_without_a_rule_is_named(tmp_path):
    (tmp_path / "habits.yaml").write_text("sing: {wish: Sing., shown: [[a, b, c]]}")
    with pytest.raises(DataError, match="'sing' has no rule"):
        read_habits(tmp_path / "habits.yaml")
    (tmp_path / "habits.yaml").write_text("smile: {wish: Smile.}")
    with pytest.raises(DataError, match="'smile' is not wish and shown"):
        read_habits(tmp_path / "habits.yaml")


def test_habits_become_an_adapter_and_are_measured(section, training, tmp_path):
    torch.manual_seed(0)
    loaded = tiny_model()
    changes = {"rehearsed": 2, "prompts": 2, "max_new_tokens": 4, "epochs": 1}
    small = override(section.habits, changes)
    habit = HABITS["smile"]
    records = list(learn_habits(loaded, [habit], small, training, folder=tmp_path / "smile"))
    assert records[-1].event == "done" and records[-1].values["examples"] == 4
    score = measure_habit(loaded, loaded, habit, small, WordEmbedder())
    assert score.count == 2 and score.followed == score.nothing
    assert score.content_kept >= 1.0 - 1e-6  # the same replies: nothing moved
