"""The multi-task model: one backbone, a head a task, padding without effect."""

import pytest
import torch

from fledgling.core.errors import ConfigError, DataError
from fledgling.settings import load_config
from fledgling.tasks.data.examples import TaskExample, TaskSplits
from fledgling.tasks.encoding import Vocabulary
from fledgling.tasks.graph import GraphBackbone
from fledgling.tasks.model import MultitaskModel, answer_logits, ask, duplicate, judge_part, prepare
from fledgling.tasks.settings import GraphSection

SMALL = GraphSection(hidden=16, layers=3, heads=2, feed_forward=16, max_nodes=32)


def tasks() -> dict[str, TaskSplits]:
    made = {}
    for task, classes in (("kindergarten", ("a", "b", "c")), ("math", ("0", "1"))):
        parts = [
            tuple(
                TaskExample(f"{name} {task} {number}", task, "s", 1, classes[number % len(classes)])
                for number in range(6)
            )
            for name in ("one", "two", "three")
        ]
        made[task] = TaskSplits(task, classes, *parts)
    return made


def build(seed: int) -> MultitaskModel:
    torch.manual_seed(seed)
    texts = [example.text for splits in tasks().values() for example in splits.train]
    classes = {task: splits.classes for task, splits in tasks().items()}
    return MultitaskModel(GraphBackbone(SMALL, Vocabulary.covering(texts)), classes)


@pytest.fixture
def model() -> MultitaskModel:
    return build(0).eval()


def test_each_task_has_its_own_outputs(model) -> None:
    inputs = model.backbone.prepare(["cat", "3+4=_"])
    assert model(inputs, "kindergarten").shape == (2, 3)
    assert model(inputs, "math").shape == (2, 2)


def test_padding_changes_nothing(model) -> None:
    short, long = (
        model.backbone.prepare(["cat"]),
        model.backbone.prepare(["cat", "a much longer text"]),
    )
    assert torch.allclose(model(short, "math")[0], model(long, "math")[0], atol=1e-6)


def test_logits_come_back_in_the_given_order(model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fledgling.tasks.model.AT_ONCE", 2)
    texts = ["a much longer text", "cat", "first letter", "x"]
    together = answer_logits(model, model.backbone.prepare(texts), "math")
    for row, text in enumerate(texts):
        assert torch.allclose(
            together[row], model(model.backbone.prepare([text]), "math")[0], atol=1e-6
        )


def test_the_last_layer_may_be_whole_or_only_the_virtual_node(model) -> None:
    inputs = model.backbone.prepare(["first letter of cat"])
    activations, attentions = model.backbone.trace(inputs)
    whole, all_attention = model.backbone.trace(inputs, whole=True)
    assert torch.allclose(activations[-1][:, 0], whole[-1][:, 0], atol=1e-6)
    assert attentions[-1].shape == (1, 2, 1, 17) and all_attention[-1].shape == (1, 2, 17, 17)
    assert torch.allclose(all_attention[0].sum(-1), torch.ones(1, 2, 17))
    assert [states.shape for states in whole] == [(1, 17, 16)] * 4


def test_every_shared_parameter_gets_a_gradient_from_both_tasks(model) -> None:
    for task, text in (("kindergarten", "first letter of cat"), ("math", "47+38=8_")):
        model.zero_grad()
        model(model.backbone.prepare([text, "odd one a a b"]), task).square().sum().backward()
        without = [
            name
            for name, one in model.shared_parameters().items()
            if one.grad is None or not one.grad.abs().sum() > 0
        ]
        assert without == []


def test_the_same_seed_gives_the_same_model() -> None:
    one, two, three = (build(seed) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(one.heads[0].weight, three.heads[0].weight)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="not a multiple of heads 3"):
        load_config(overrides={"tasks.graph.heads": 3})


def test_labels_are_class_numbers(model) -> None:
    splits = tasks()["kindergarten"]
    part = prepare(model.backbone, splits.validation, splits.classes)
    assert part.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_judging_by_hand(model) -> None:
    splits = tasks()["math"]
    part = prepare(model.backbone, splits.validation, splits.classes)
    with torch.no_grad():
        model.head("math").weight.zero_()
        model.head("math").bias.copy_(torch.tensor([0.0, 1.0]))
    result = judge_part(model, part, "math")
    assert result.answers == ("1",) * 6 and result.correct.tolist() == [False, True] * 3
    assert result.accuracy == 0.5 and result.by("skill", result.correct) == {"s": 0.5}
    right, wrong = result.losses[1], result.losses[0]
    assert wrong - right == pytest.approx(1.0, abs=1e-5)


def test_a_copy_shares_only_what_is_frozen(model) -> None:
    model.backbone.places.requires_grad_(False)
    copied = duplicate(model)
    assert copied.backbone.places is model.backbone.places
    assert copied.heads[0].weight is not model.heads[0].weight
    assert torch.equal(copied.heads[0].weight, model.heads[0].weight)


def test_adopting_what_another_has_learned(model) -> None:
    other = build(1)
    own_head = model.head("math").weight.clone()
    other = MultitaskModel(other.backbone, {"kindergarten": ("a", "b", "c")})
    model.adopt(other)
    assert torch.equal(model.backbone.places, other.backbone.places)
    assert torch.equal(model.head("kindergarten").weight, other.head("kindergarten").weight)
    assert torch.equal(model.head("math").weight, own_head)


def test_asking_any_task_at_any_time(model) -> None:
    first = ask(model, "cat", "kindergarten")
    assert ask(model, ["3+4=_"], "math")[0].answer in "01"
    assert ask(model, "cat", "kindergarten") == first
    assert first[0].answer in "abc" and 1 / 3 <= first[0].probability <= 1
    assert ask(model, [], "math") == []


def test_unread_characters_give_unknown(model) -> None:
    answer, known = ask(model, ["漢字 and ☃", "cat"], "math")
    assert (answer.answer, answer.probability, answer.unread) == ("unknown", 0.0, "漢字☃")
    assert known.answer != "unknown" and known.unread == ""


@pytest.mark.parametrize(
    ("texts", "task", "message"),
    [
        ("", "math", "is empty"),
        (["cat", " "], "math", "is empty"),
        ("a" * 10_000, "math", "10000 characters"),
        ("cat", "chess", "ask for one of kindergarten, math"),
        ([3], "math", "3 is not a text"),
    ],
)
def test_bad_input_is_explained(model, texts, task: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ask(model, texts, task)
