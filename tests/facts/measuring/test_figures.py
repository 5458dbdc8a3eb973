import io

import numpy as np
import pytest
from PIL import Image

from fledgling.facts.measuring import figures as figures_online
from fledgling.facts.measuring import figures_forgetting
from fledgling.facts.measuring import tables as online_results


def run_of(recipe, seed, *, hits, kl):
    """The steps of one recipe on two facts: the first is forgotten unless ``hits``."""
    base = {"recipe": recipe, "seed": seed, "name": ""}
    steps = [
        {
            **base,
            "step": fact,
            "event": "update",
            "name": f"f{fact}",
            "update": number,
            "attempt": 0,
            "loss": 2.0 / number,
        }
        for fact in (1, 2)
        for number in (1, 2, 3)
    ]
    steps += [
        {**base, "step": fact, "event": event, "facts": 1}
        for fact in (1, 2)
        for event in ("remembered", "turn")
    ]
    steps += [{**base, "step": 1, "event": "rolled_back"}]
    steps += [
        {**base, "step": 0, "event": "retention", "scores": [1.0]},
        {**base, "step": 1, "event": "retention", "scores": [float(hits), 1.0]},
    ]
    steps += [
        {
            **base,
            "step": 2,
            "event": "probe",
            "kind": kind,
            "question": f"{kind}?",
            "answer": "Oslo " * 30,
            "opened": kind == "direct",
        }
        for kind in ("direct", "paraphrase")
    ]
    steps += [
        {
            **base,
            "step": 2,
            "event": "neighbour",
            "kind": "other_subject",
            "question": "Who?",
            "answer": "Nobody",
            "base_answer": "Somebody",
            "opened": False,
        }
    ]
    return [
        *steps,
        {
            **base,
            "step": 2,
            "event": "metrics",
            "efficacy": 0.5 + hits / 2,
            "generalization": hits / 2,
            "near_miss": kl,
            "locality": 1 - kl,
            "anchor_kl": kl,
            "forgetting": 1.0 - hits,
            "seconds_per_update": None,
        },
    ]


@pytest.fixture(scope="module")
def steps():
    return [
        *run_of("default", 0, hits=True, kl=0.0),
        *run_of("default", 1, hits=False, kl=0.0),
        *run_of("none", 0, hits=False, kl=0.4),
    ]


@pytest.mark.parametrize(
    "plot",
    [
        figures_online.plot_learning_curves,
        figures_online.plot_timeline,
        figures_online.plot_scores,
        figures_online.plot_pareto,
        figures_forgetting.plot_retention,
        figures_forgetting.plot_retention_by_lag,
        figures_forgetting.plot_remedies,
        lambda steps: figures_forgetting.plot_memory_growth(steps, ["default", "none"]),
    ],
)
def test_every_figure_draws_labelled_panels(plot, steps):
    figure = plot(steps)
    image = Image.open(io.BytesIO(figure._repr_png_()))
    assert np.asarray(image.convert("L")).std() > 1
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert any(axes.get_title(loc="left") for axes in shown) and any(
        axes.get_xlabel() for axes in shown
    )


def test_metrics_are_means_over_seeds_named_as_in_the_contract(steps):
    metrics = online_results.contract_metrics(steps)
    assert metrics["efficacy"] == metrics["gated.efficacy"] == 0.75
    assert metrics["none.anchor_kl"] == 0.4 and metrics["seconds_per_update"] is None


def test_retention_of_two_seeds_by_hand(steps):
    assert figures_forgetting.retention_matrix(steps, "none", 0) == [[1.0, None], [0.0, 1.0]]
    assert figures_forgetting.mean_by_lag(steps, "default") == [1.0, 0.5]
    assert figures_forgetting.recall_by_count(steps, "default") == [1.0, 0.75]


def test_the_front_leaves_out_what_another_beats():
    assert figures_online.pareto_front({"a": (0.0, 0.5), "b": (0.1, 0.4), "c": (0.2, 0.9)}) == [
        "a",
        "c",
    ]


def test_tables_tell_answers_and_gate(steps):
    answers = online_results.answers_table(
        steps, {"direct?": "Paris"}, recipes=["default", "none"], width=20
    )
    assert list(answers["kind"]) == ["taught", "paraphrased", "neighbouring"]
    assert answers.loc[0, "before"] == "Paris" and answers.loc[0, "default"].endswith("…")
    gate = online_results.gate_table(steps)
    assert (gate.loc["direct", "share opened"], gate.loc["paraphrase", "opened"]) == ("1", 0)


def test_one_fact_is_drawn_down_from_the_loss_of_the_base():
    figure = figures_online.plot_one_fact([{"loss": 0.5}, {"loss": 0.1}], base_loss=2.46)
    (line,) = figure.axes[0].lines
    assert list(line.get_ydata()) == [2.46, 0.5, 0.1]
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["the base", "1", "2"]
    assert list(figures_online.plot_one_fact([{"loss": 0.5}]).axes[0].lines[0].get_xdata()) == [1]
