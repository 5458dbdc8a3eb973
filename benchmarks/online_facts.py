"""Facts in sequence, one recipe or several, mean and 95% interval over seeds, held against the
bars.

    python benchmarks/online_facts.py                          # 50 everyday facts, three seeds
    python benchmarks/online_facts.py --zsre PATH --count 100  # corrections, as EasyEdit has them
    python benchmarks/online_facts.py --facts PATH --recipes default,always_on,naive_lora
    python benchmarks/online_facts.py --corrected              # told wrongly first
    python benchmarks/online_facts.py --facts data/facts/tuning.jsonl --count 200 --kept

Writes one JSON line a run to --out, so that a long benchmark can be stopped and read.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fledgling.core import runtime
from fledgling.core.answers import contains
from fledgling.core.records import Turn, judge
from fledgling.core.statistics import mean_interval
from fledgling.facts.flow import learn
from fledgling.facts.learner import GateReaders, OnlineLearner, load_gate_readers
from fledgling.facts.measuring.anchors import held_out, read_anchors
from fledgling.facts.measuring.experiments import run_stream
from fledgling.facts.measuring.probing import ask_probes
from fledgling.facts.measuring.streams import (
    TaughtFact,
    correction,
    everyday,
    read_fact_stream,
    read_zsre,
    sample,
)
from fledgling.language.facts import take_at_word
from fledgling.models.loading import LoadedModel, load_model
from fledgling.settings import Config, load_config

BARS = {
    "efficacy": ">= 0.95",
    "generalization": ">= 0.85",
    "near_miss": "<= 0.05",
    "anchor_kl": "<= 0.05",
    "anchor_ppl_ratio": "<= 1.02",
    "locality": ">= 0.95",
    "backward_transfer": ">= -0.03",
    "seconds_per_turn": "<= 3",
}
ZSRE_BARS = {
    "efficacy": ">= 0.90",
    "generalization": ">= 0.75",
    "locality": ">= 0.95",
    "seconds_per_turn": "<= 3",
}
SHOWN = (
    "efficacy",
    "generalization",
    "reverse",
    "near_miss",
    "near_miss.other_subject",
    "near_miss.other_relation",
    "anchor_kl",
    "locality",
    "anchor_ppl_ratio",
    "answers_unchanged",
    "just_taught",
    "backward_transfer",
    "forgetting",
    "gate_recall",
    "gate_precision",
    "detected",
    "updates_per_fact",
    "seconds_per_update",
    "seconds_per_turn",
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--facts", default="", help="a fact stream; default data/facts/everyday.jsonl"
    )
    parser.add_argument(
        "--zsre", default="", help="a zsRE file; its locality questions are added to the anchors"
    )
    parser.add_argument(
        "--anchors", default="", help="held-out anchors; default data/facts/anchors/held_out.jsonl"
    )
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--first-seed", type=int, default=1, help="seed 0 is the slice the notebooks show"
    )
    parser.add_argument("--recipes", default="default")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="configuration overrides"
    )
    parser.add_argument(
        "--corrected", action="store_true", help="tell each fact with another object first"
    )
    parser.add_argument(
        "--kept",
        action="store_true",
        help="ask only what shows whether facts are kept, as notebook 05 does; no replies",
    )
    parser.add_argument("--out", default="reports/online_facts.jsonl")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    anchors = read_anchors(options.anchors) if options.anchors else held_out()
    if options.zsre:
        facts, questions = read_zsre(options.zsre, options.count)
        anchors = [*anchors, *questions]
    else:
        facts = read_fact_stream(options.facts) if options.facts else everyday()
    started = runtime.start()
    loaded, readers = load_model(load_config().models, started), load_gate_readers()
    if options.corrected:
        config = load_config("full", recipe=options.recipes.split(",")[0], overrides=options.set)
        show_corrected(loaded, readers, config, facts[: options.count])
        return
    runs: dict[str, list[dict]] = {}
    for recipe in options.recipes.split(","):
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            config = load_config("full", recipe=recipe, overrides=options.set)
            chosen = sample(facts, min(options.count, len(facts)), seed)
            if options.kept:
                chosen = [fact.for_retention() for fact in chosen]
            metrics = {}
            for record in run_stream(
                loaded,
                readers,
                config.facts,
                config.language,
                chosen,
                name=recipe,
                anchors=anchors,
                seed=seed,
                reply=not options.kept,
            ):
                metrics = record.values if record.event == "metrics" else metrics
            runs.setdefault(recipe, []).append(metrics)
            Path(options.out).parent.mkdir(parents=True, exist_ok=True)
            with Path(options.out).open("a", encoding="utf-8") as lines:
                lines.write(
                    json.dumps({"recipe": recipe, "seed": seed, "count": len(chosen), **metrics})
                    + "\n"
                )
            print(recipe, seed, {name: metrics.get(name) for name in SHOWN[:8]}, flush=True)
    for recipe, results in runs.items():
        show(recipe, results, ZSRE_BARS if options.zsre else BARS)


def misstated(facts: list[TaughtFact], config: Config) -> list[tuple[TaughtFact, Turn, str]]:
    """Facts that can hold only one object, each with the turn that gives it another fact's object,
    and that object.
    """
    known = {fact.id: take_at_word(fact.turn, config.language) for fact in facts}
    pairs = []
    for fact in facts:
        mine = known[fact.id]
        others = [
            one.object
            for one in known.values()
            if one.relation == mine.relation and one.object != mine.object
        ]
        if not mine.exclusive or not mine.object or not others:
            continue
        if fact.turn.question:
            pairs.append((fact, correction(fact.turn.question, others[0]), others[0]))
        elif mine.object in fact.turn.text:
            pairs.append((fact, Turn(fact.turn.text.replace(mine.object, others[0])), others[0]))
    return pairs


def show_corrected(
    loaded: LoadedModel, readers: GateReaders, config: Config, facts: list[TaughtFact]
) -> None:
    """Tell every fact wrongly, then all of them rightly, and print how many direct probes get the
    new answer only.
    """
    pairs = misstated(facts, config)
    learner = OnlineLearner(loaded, config.facts, config.language, readers=readers)
    for turn in [old for _, old, _ in pairs] + [fact.turn for fact, _, _ in pairs]:
        for record in learn(learner, [turn], reply=False, taught=True):
            if record.event == "given_up":
                print("given up:", turn.text)
    results = []
    for fact, _, old in pairs:
        probes = ask_probes(learner, [TaughtFact(fact.id, fact.turn, fact.probes_of("direct"))])
        results += [(probe.hit, contains(probe.answer, (old,))) for probe in probes]
    fresh = sum(hit and not stale for hit, stale in results)
    stale = sum(stale for _, stale in results)
    print(
        f"{len(pairs)} facts corrected, {len(results)} direct questions: new and not old"
        f" {fresh / len(results):.3f}, old {stale / len(results):.3f}"
    )
    learner.close()


def show(recipe: str, runs: list[dict], bars: dict[str, str]) -> None:
    """Print mean, interval, bar and verdict of every metric."""
    table = Table(title=f"{recipe}, {len(runs)} seed(s)")
    for heading in ("metric", "mean", "95% interval", "bar", "passed"):
        table.add_column(heading)
    for name in SHOWN:
        values = [run[name] for run in runs if run.get(name) is not None]
        if not values:
            continue
        mean = sum(values) / len(values)
        interval = str(mean_interval(values))
        verdict = judge(name, bars[name], mean).passed if name in bars else None
        table.add_row(
            name,
            f"{mean:.3f}",
            interval,
            bars.get(name, ""),
            "" if verdict is None else "yes" if verdict else "no",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
