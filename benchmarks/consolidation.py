"""Many facts folded into one (facts/consolidation.py), beside what it is made from and its
controls:

    python benchmarks/consolidation.py --count 50 --facts data/facts/everyday.jsonl
    python benchmarks/consolidation.py --recipe per_fact --set facts.consolidation.adapter.rank=64

``routed``: a prefix or an adapter a fact, the gate picks. ``consolidated``: one, the gate says yes
or no. ``averaged``: the mean of LoRA adapters' weights, cut to the same rank. ``… open``: the same
with no gate before it. The facts are tuning data, which the reader behind prefixes has seen;
--facts PATH takes others.

    python benchmarks/consolidation.py --count 20 --changed

tells half of them corrected and forgets the other half after the first merging, merges again, and
counts how often the old answer is still given, with and without the gate.

    python benchmarks/consolidation.py --draw docs/many_facts.png

draws what --out holds: the newest line of each row at each number of facts.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table

from fledgling.core.answers import contains
from fledgling.core.files import read_jsonl
from fledgling.core.runtime import start
from fledgling.facts.consolidation import consolidate, retell
from fledgling.facts.flow import learn
from fledgling.facts.learner import OnlineLearner, load_gate_readers
from fledgling.facts.measuring.anchors import held_out
from fledgling.facts.measuring.probing import AnchorSet, evaluate
from fledgling.facts.measuring.streams import (
    Probe,
    TaughtFact,
    correction,
    read_fact_stream,
    sample,
    tuning,
)
from fledgling.facts.placements.consolidated import Consolidated
from fledgling.facts.store import State
from fledgling.language.facts import take_at_word
from fledgling.models.adapters import Adapter
from fledgling.models.loading import load_model
from fledgling.reports.figures import bar_panels
from fledgling.settings import load_config

SHOWN = {
    "efficacy": "direct",
    "generalization": "re-\nphrased",
    "reverse": "reverse",
    "use": "use",
    "near_miss": "near\nmiss",
    "anchor_kl": "anchor\nKL",
    "locality": "local-\nity",
}
DRAWN = {  # metric of a panel: its title
    "efficacy": "direct",
    "generalization": "rephrased",
    "use": "use",
    "near_miss": "near miss",
    "anchor_kl": "anchor KL, nats/token",
}
LOWER_IS_BETTER = (DRAWN["near_miss"], DRAWN["anchor_kl"])


def main(
    count: Annotated[int, typer.Option(help="Facts.")] = 50,
    facts: Annotated[str, typer.Option(help="A fact stream instead of the tuning facts.")] = "",
    recipe: Annotated[str, typer.Option(help="How each fact is learned.")] = "consolidated",
    seed: Annotated[int, typer.Option(help="Of facts and order.")] = 1,
    each: Annotated[int, typer.Option(help="Questions of a kind asked a fact; 0 = all.")] = 0,
    asked: Annotated[int, typer.Option(help="Facts that are asked about; 0 = all.")] = 0,
    anchors: Annotated[int, typer.Option(help="Held-out anchors.")] = 16,
    controls: Annotated[bool, typer.Option(help="Also routed and averaged.")] = True,
    threads: Annotated[int, typer.Option(help="0 = all cores.")] = 0,
    changed: Annotated[list[str], typer.Option("--set", help="KEY=VALUE of the settings.")] = [],  # noqa: B006
    store: Annotated[str, typer.Option(help="Where the taught facts are kept.")] = ":memory:",
    altered: Annotated[
        bool, typer.Option("--changed", help="Correct half of the facts, forget the others.")
    ] = False,
    out: Annotated[Path, typer.Option(help="One JSON line a row.")] = Path(
        "reports/consolidation.jsonl"
    ),
    picture: Annotated[
        str, typer.Option("--draw", help="Draw what --out holds to this file, and stop.")
    ] = "",
) -> None:
    if picture:
        draw([line for _, line in read_jsonl(out)], picture)
        return
    config = load_config("full", recipe=recipe, overrides=changed)
    loaded = load_model(config.models, start(seed=seed, threads=threads))
    readers = load_gate_readers()
    chosen = sample(read_fact_stream(facts) if facts else tuning(), count, seed)
    if each:
        chosen = [fewer(fact, each) for fact in chosen]
    learner = OnlineLearner(loaded, config.facts, config.language, readers=readers, store=store)
    begun = time.perf_counter()
    told = len(learner.memory)
    for _ in learn(learner, [fact.turn for fact in chosen[told:]], reply=False, taught=True):
        pass
    taught = time.perf_counter() - begun
    print(f"{len(learner.memory)} facts told in {taught:.0f} s", flush=True)
    if altered:
        ask_after_changes(learner, chosen)
        learner.close()
        return
    bench = _Bench(learner, chosen, spread(chosen, asked or count), held_out()[:anchors], out)
    if controls:
        bench.row("routed")
    if controls and isinstance(learner.trained, Consolidated):
        adapters = [learner.store.adapter(fact_id) for fact_id in learner.gate.ids]
        wide = learner.trained.model().adapter
        with learner.turn():
            learner.trained.fold(learner.gate.ids, averaged(adapters, learner.adapter, wide))
        bench.row("averaged")
        learner.undo()
    *_, ended = consolidate(learner)
    print(ended.event, ended.values, flush=True)
    bench.row("consolidated")
    learner.adjust(threshold=0.0)
    bench.row("consolidated, open")
    Console().print(bench.table)
    learner.close()


def ask_after_changes(learner: OnlineLearner, facts: list[TaughtFact]) -> None:
    """Merge, correct half of the facts and forget the others, merge again, ask for what was so."""
    *_, ended = consolidate(learner)
    print(ended.event, ended.values, flush=True)
    taken = {fact.id: take_at_word(fact.turn, learner.language, learner.judge) for fact in facts}
    objects = sorted({fact.object for fact in taken.values() if fact.object})
    kept = []
    for place, taught in enumerate(facts[::2]):
        (probe,) = first(taught)
        others = [each for each in objects if not contains(each, probe.answers)]
        other, question = others[place % len(others)], taught.turn.question or probe.question
        kept.append(take_at_word(correction(question, other), learner.language, learner.judge))
    for _ in retell(learner, kept):
        pass
    *_, ended = consolidate(learner)
    print(ended.event, ended.values, flush=True)
    for gated in (True, False):
        if not gated:
            learner.adjust(threshold=0.0)
        for what, some in (("corrected", facts[::2]), ("forgotten", facts[1::2])):
            asked = [(probe.question, probe.answers) for fact in some for probe in first(fact)]
            replies = learner.answer([question for question, _ in asked])
            pairs = zip(replies, asked, strict=True)
            old = sum(contains(reply.text, answers) for reply, (_, answers) in pairs)
            where = "behind the gate" if gated else "no gate"
            print(f"{what}, {where}: old answer {old} of {len(asked)}", flush=True)


def first(fact: TaughtFact) -> tuple[Probe, ...]:
    """The question that asks for the fact most plainly."""
    return (fact.probes_of("direct") or fact.probes_of("paraphrase"))[:1]


class _Bench:
    def __init__(
        self,
        learner: OnlineLearner,
        told: list[TaughtFact],
        facts: list[TaughtFact],
        anchors: list[str],
        out: Path,
    ) -> None:
        self.learner, self.told, self.facts, self.out = learner, told, facts, out
        self.base: dict[str, str] = {}
        self.anchors = AnchorSet(learner, anchors, self.base)
        headings = Column(no_wrap=True), *SHOWN.values()
        self.table = Table(*headings, box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
        out.parent.mkdir(parents=True, exist_ok=True)

    def row(self, name: str) -> None:
        metrics, _, _ = evaluate(self.learner, self.facts, self.anchors, self.base)
        shown = {key: metrics.get(key) for key in SHOWN}
        print(name, {key: each if each is None else round(each, 3) for key, each in shown.items()})
        self.table.add_row(name, *("-" if x is None else f"{x:.3f}" for x in shown.values()))
        with self.out.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"row": name, "facts": len(self.told), **metrics}) + "\n")


def fewer(fact: TaughtFact, each: int) -> TaughtFact:
    """The fact with at most ``each`` probes and neighbours of every kind and form."""
    counts: Counter[str] = Counter()

    def wanted(kind: str) -> bool:
        counts[kind] += 1
        return counts[kind] <= each

    probes = tuple(probe for probe in fact.probes if wanted(f"{probe.kind} {probe.form}"))
    near = tuple(other for other in fact.neighbours if wanted(other.kind))
    return replace(fact, probes=probes, neighbours=near)


def spread(facts: list[TaughtFact], count: int) -> list[TaughtFact]:
    """``count`` of them at equal distances in the order in which they were told."""
    places = np.linspace(0, len(facts) - 1, min(count, len(facts))).round().astype(int)
    return [facts[place] for place in places]


def averaged(states: list[State], own: Adapter, wide: Adapter) -> State:
    """The mean of the adapters' maps, cut to the rank of ``wide`` (what merging weights gives)."""
    scale = own.section.alpha / own.section.rank
    merged = {}
    for name in [name for name in wide.parameters if "lora_A" in name]:
        mine = name.replace(f".{wide.name}.", f".{own.name}.")
        maps = [state[mine.replace("lora_A", "lora_B")] @ state[mine] for state in states]
        left, values, right = torch.linalg.svd(
            scale * torch.stack(maps).mean(0), full_matrices=False
        )
        rank = min(wide.section.rank, len(values))
        reads = torch.zeros_like(wide.parameters[name])
        writes = torch.zeros_like(wide.parameters[name.replace("lora_A", "lora_B")])
        reads[:rank] = right[:rank]
        writes[:, :rank] = left[:, :rank] * values[:rank] * wide.section.rank / wide.section.alpha
        merged[name], merged[name.replace("lora_A", "lora_B")] = reads, writes
    return merged


def draw(lines: list[dict[str, Any]], path: str) -> None:
    """A panel a metric, a bar a row and number of facts, the newest line of each."""
    newest = {(line["facts"], line["row"]): line for line in lines}
    shown = [newest[key] for key in sorted(newest, key=lambda key: (key[0], "open" in key[1]))]
    words = {"consolidated, open": "consolidated, no gate"}
    names = [f"{words.get(row := line['row'], row)}, {line['facts']} facts" for line in shown]
    panels = {title: [line.get(metric) for line in shown] for metric, title in DRAWN.items()}
    bar_panels(names, panels, lower=LOWER_IS_BETTER, width=14.5).savefig(path)


if __name__ == "__main__":
    typer.run(main)
