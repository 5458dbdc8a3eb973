"""Numbers and tables of notebooks 04 and 05, from the steps of a run directory alone.

A step is one line of ``steps.jsonl`` as a dictionary, with ``recipe`` and ``seed`` among its
values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from fledgling.core.statistics import mean_interval
from fledgling.reports.tables import number

Step = Mapping[str, Any]
DEFAULT, DEFAULT_PREFIX = "default", "gated"
_FIELDS = {"step", "event", "name", "recipe", "seed"}
TIMED = ("seconds_per_update", "seconds_per_turn", "update_over_floor")


def select(
    steps: Sequence[Step], event: str, recipe: str | None = None, seed: int | None = None
) -> list[Step]:
    """Steps of one event, of one recipe and seed where given."""
    return [
        step
        for step in steps
        if step["event"] == event
        and recipe in (None, step.get("recipe"))
        and seed in (None, step.get("seed"))
    ]


def recipes_of(steps: Sequence[Step]) -> list[str]:
    """The recipes in the order they were run."""
    return list(dict.fromkeys(step["recipe"] for step in steps if "recipe" in step))


def first_seed(steps: Sequence[Step]) -> int:
    """The seed whose run single-run figures show."""
    return next(step["seed"] for step in steps if "seed" in step)


def metric_values(steps: Sequence[Step], recipe: str) -> dict[str, list[float]]:
    """Metric → its values over seeds; what was not measured has none."""
    values: dict[str, list[float]] = {}
    for step in select(steps, "metrics", recipe):
        for name, value in step.items():
            if name not in _FIELDS:
                values.setdefault(name, []).extend([] if value is None else [value])
    return values


def mean_of(steps: Sequence[Step], recipe: str, metric: str) -> float | None:
    """The mean over seeds, or None where it was not measured."""
    values = metric_values(steps, recipe).get(metric, [])
    return mean_interval(values).mean if values else None


def contract_metrics(steps: Sequence[Step]) -> dict[str, float | None]:
    """Every metric by its name in the contract: the default recipe's bare and under ``gated.``, the
    others under their recipe's name.
    """
    metrics: dict[str, float | None] = {}
    for recipe in recipes_of(steps):
        for metric in metric_values(steps, recipe):
            mean = mean_of(steps, recipe, metric)
            if recipe == DEFAULT:
                metrics |= {metric: mean, f"{DEFAULT_PREFIX}.{metric}": mean}
            else:
                metrics[f"{recipe}.{metric}"] = mean
    return metrics


def recipe_table(steps: Sequence[Step], metrics: Sequence[str]) -> pandas.DataFrame:
    """One row a recipe, one column a metric: the mean over seeds, with its 95% interval where there
    are several.
    """
    rows = {}
    for recipe in recipes_of(steps):
        values = metric_values(steps, recipe)
        rows[recipe] = [_cell(values.get(metric, [])) for metric in metrics]
    return pandas.DataFrame.from_dict(rows, orient="index", columns=list(metrics))


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    interval = mean_interval(values)
    return number(round(interval.mean, 3)) if interval.count < 2 else str(interval)


def answers_table(
    steps: Sequence[Step],
    base: Mapping[str, str],
    *,
    recipes: Sequence[str],
    each: int = 2,
    width: int = 70,
) -> pandas.DataFrame:
    """Questions of four kinds, the base's answer, and each recipe's: what was taught, in other
    words, neighbouring, unrelated. ``base`` gives the base's answers where the run did not store
    them.
    """
    rows, seed = [], first_seed(steps)
    for kind, event, probe_kind in (
        ("taught", "probe", "direct"),
        ("paraphrased", "probe", "paraphrase"),
        ("neighbouring", "neighbour", None),
        ("unrelated", "anchor", None),
    ):
        answers = {
            recipe: {
                step["question"]: step["answer"] for step in select(steps, event, recipe, seed)
            }
            for recipe in recipes
        }
        asked = _spread(
            [
                step
                for step in select(steps, event, recipes[0], seed)
                if probe_kind in (None, step.get("kind"))
            ],
            each,
        )
        for step in asked:
            question = step["question"]
            before = step.get("base_answer", base.get(question, ""))
            rows.append(
                [
                    kind,
                    question,
                    _short(before, width),
                    *(_short(answers[recipe].get(question, ""), width) for recipe in recipes),
                ]
            )
    return pandas.DataFrame(rows, columns=["kind", "question", "before", *recipes])


def shown_questions(steps: Sequence[Step], recipe: str, each: int = 2) -> list[str]:
    """The probe questions that ``answers_table`` will show: the base has still to be asked about
    them.
    """
    seed = first_seed(steps)
    return [
        step["question"]
        for kind in ("direct", "paraphrase")
        for step in _spread(
            [step for step in select(steps, "probe", recipe, seed) if step["kind"] == kind], each
        )
    ]


def _spread(steps: Sequence[Step], count: int) -> list[Step]:
    """``count`` steps at even distances."""
    gap = max(len(steps) // count, 1)
    return list(steps[::gap][:count])


def _short(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def gate_table(steps: Sequence[Step], recipe: str = DEFAULT) -> pandas.DataFrame:
    """How often the gate opened, by kind of question: it should for probes, not for neighbours."""
    rows = {}
    for event in ("probe", "neighbour"):
        asked = select(steps, event, recipe)
        for kind in dict.fromkeys(step["kind"] for step in asked):
            opened = [step["opened"] for step in asked if step["kind"] == kind]
            rows[kind.replace("_", " ")] = [
                len(opened),
                sum(opened),
                "open" if event == "probe" else "closed",
                number(round(sum(opened) / len(opened), 3)),
            ]
    return pandas.DataFrame.from_dict(
        rows, orient="index", columns=["asked", "opened", "should be", "share opened"]
    )


def outcomes_table(steps: Sequence[Step]) -> pandas.DataFrame:
    """What became of the facts, by recipe."""
    rows = {}
    for recipe in recipes_of(steps):
        count = {
            event: len(select(steps, event, recipe))
            for event in ("update", "remembered", "rolled_back", "given_up")
        }
        unseen = sum(step["detected"] == 0 for step in select(steps, "turn", recipe))
        rows[recipe] = [*count.values(), unseen]
    return pandas.DataFrame.from_dict(
        rows,
        orient="index",
        columns=["updates", "facts kept", "rolled back", "given up", "turns taken at their word"],
    )


def own_facts_table(steps: Sequence[Step], recipe: str, *, width: int = 60) -> pandas.DataFrame:
    """One row a probe: what was asked, what was answered, whether it is right, and what to blame
    where it is not.
    """
    rows = [
        [
            step["name"],
            step.get("form") or step["kind"],
            _short(step["question"], width),
            _short(step["answer"], width),
            "right" if step["hit"] else "wrong",
            "what was taught" if step["opened"] else "the base",
            "" if step["hit"] else _blame(step),
        ]
        for step in select(steps, "probe", recipe, first_seed(steps))
    ]
    columns = ["fact", "kind", "question", "answer", "", "answered by", "because"]
    return pandas.DataFrame(rows, columns=columns)


def _blame(step: Step) -> str:
    return "the answer is another one" if step["opened"] else "the gate stayed closed"


def compared_with_look_ups(steps: Sequence[Step], ours: str) -> str:
    """One sentence on who answers more, what was taught or a look-up behind the same gate; "" where
    no look-up was run.
    """
    others = [name for name in ("echo", "retrieved", "reader") if name in recipes_of(steps)]
    said = []
    for metric, what in (("generalization", "rephrased questions"), ("use", "questions of use")):
        mine = mean_of(steps, ours, metric)
        theirs = {name: mean_of(steps, name, metric) for name in others}
        known = {name: value for name, value in theirs.items() if value is not None}
        if mine is None or not known:
            continue
        best = max(known, key=lambda name: known[name])
        gap = mine - known[best]
        verb = "as many" if gap == 0 else "more" if gap > 0 else "fewer"
        said.append(
            f"of {what} {ours} answers {mine:.2f}, {verb}"
            f"{' as' if gap == 0 else ' than'} the best look-up ({best}, {known[best]:.2f})"
        )
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def usual_updates(steps: Sequence[Step], recipe: str) -> str:
    """How many updates facts took, in a sentence."""
    taken = [len(select(steps, "update", recipe)), len(select(steps, "remembered", recipe))]
    known = mean_of(steps, recipe, "updates_to_learn")
    if known is None or not taken[1]:
        return "No fact's rows were learned within its updates."
    return (
        f"{recipe}: {taken[0] / taken[1]:.1f} updates a fact; its rows count as learned after"
        f" {known:.1f} of them on average."
    )
