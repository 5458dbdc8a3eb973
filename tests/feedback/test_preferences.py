import pytest
import torch
from peft import PeftModel

from fledgling.core.errors import DataError
from fledgling.core.layers import override
from fledgling.feedback.examples import ChatExample, PreferencePair
from fledgling.feedback.pairs import encode_pair, score_pairs
from fledgling.feedback.preference_trainers import mismatched
from fledgling.feedback.preferences import teach, train_preferences
from fledgling.feedback.rows import TrainingRows


def ask(text):
    return ({"role": "user", "content": text},)


def reply(question, text):
    return ChatExample((*ask(question), {"role": "assistant", "content": text}))


PAIRS = tuple(PreferencePair(ask(f"{n}?"), "yes yes", "no no") for n in range(6))
BAD = (reply("6?", "no no"), reply("7?", "no no"))


@pytest.fixture
def preferences(section):
    return override(section.preferences, {"lr": 0.01, "epochs": 6, "imitation": 0.0})


def margin(model, tokenizer):
    scores = score_pairs(model, tokenizer, PAIRS, max_tokens=200)
    return sum(one.chosen - one.rejected for one in scores) / len(scores)


@pytest.mark.parametrize("loss", ["dpo", "kto"])
def test_the_better_reply_gains_on_the_worse_one(tiny, training, preferences, tmp_path, loss):
    before = margin(tiny.model, tiny.tokenizer)
    rows = TrainingRows(pairs=PAIRS, bad=BAD if loss == "kto" else ())
    section = override(preferences, {"loss": loss})
    records = list(train_preferences(tiny, rows, training, section, folder=tmp_path / "a"))
    assert records[-1].event == "done" and records[0].values["pairs"] == 6
    tuned = PeftModel.from_pretrained(tiny.model, str(tmp_path / "a"))
    assert margin(tuned, tiny.tokenizer) > before + 0.5


def test_scores_match_the_models_own_loss(tiny):
    pair = PreferencePair(ask("hello"), "yes", "not at all")
    score = score_pairs(tiny.model, tiny.tokenizer, [pair], max_tokens=200)[0]
    row = encode_pair(tiny.tokenizer, pair, 200)
    ids = torch.tensor([row.prompt + row.chosen])
    labels = ids.clone()
    labels[:, : len(row.prompt)] = -100
    loss = tiny.model(input_ids=ids, labels=labels).loss
    assert score.chosen == pytest.approx(-float(loss) * len(row.chosen), rel=1e-4)
    assert score.chosen_tokens == 4 and score.rejected_tokens == 11


def test_both_replies_answer_the_same_prompt_even_when_it_must_be_cut(tiny):
    turns = [
        message for _ in range(20) for message in (*ask("question"), reply("", "x").messages[-1])
    ]
    pair = PreferencePair((*turns, *ask("last")), "short", "long " * 12)
    row = encode_pair(tiny.tokenizer, pair, 150)
    assert len(row.prompt) + len(row.rejected) <= 150
    assert tiny.tokenizer.decode(row.chosen).startswith("short")
    assert encode_pair(tiny.tokenizer, PreferencePair(ask("a" * 500), "x", "y"), 100) is None


def test_examples_first_then_preferences_in_one_adapter(tiny, training, preferences, tmp_path):
    rows = TrainingRows((reply("9?", "yes"),) * 4, PAIRS, (), ("a",))
    records = list(teach(tiny, rows, training, preferences, folder=tmp_path / "a"))
    phases = [record.name for record in records if record.event == "start"]
    assert phases == ["examples", "preferences"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["a"]
    again = list(teach(tiny, rows, training, preferences, folder=tmp_path / "a"))
    assert [record.event for record in again] == ["done"]


def test_a_stop_between_the_phases_trains_neither_twice(tiny, training, preferences, tmp_path):
    rows = TrainingRows((reply("9?", "yes"),) * 4, PAIRS)
    steps = teach(tiny, rows, training, preferences, folder=tmp_path / "a")
    for record in steps:
        if record.name == "preferences" and record.event == "batch":
            break
    steps.close()
    records = list(teach(tiny, rows, training, preferences, folder=tmp_path / "a"))
    updates = [record.name for record in records if record.event == "update"]
    assert set(updates) == {"preferences"} and records[-1].event == "done"


def test_pairs_alone_and_examples_alone_will_do_but_nothing_will_not(
    tiny, training, preferences, tmp_path
):
    for name, rows in (
        ("pairs", TrainingRows(pairs=PAIRS)),
        ("examples", TrainingRows((reply("9?", "yes"),))),
    ):
        records = list(teach(tiny, rows, training, preferences, folder=tmp_path / name))
        assert records[-1].event == "done"
    with pytest.raises(DataError, match="nothing to train on"):
        list(teach(tiny, TrainingRows(bad=BAD), training, preferences, folder=tmp_path / "none"))


def test_kl_replies_are_never_the_prompts_own():
    replies = [[n] for n in range(9)]
    for size in (2, 3, 4):
        for start in range(0, 9 - size, size):
            batch = mismatched(replies, size)[start : start + size]
            assert all(a != b for a, b in zip(batch, replies[start : start + size], strict=True))
