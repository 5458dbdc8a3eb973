"""The bars of package memory, measured.

python benchmarks/memory.py corrections   # a correction in the next answer: ms added
python benchmarks/memory.py consolidation # what is forgotten with and without, at equal updates
python benchmarks/memory.py routers       # synthetic drift, fresh seeds; or --table FILE.csv.gz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from fledgling.core.answers import contains
from fledgling.core.paths import DATA
from fledgling.core.records import judge as verdict
from fledgling.core.runtime import start
from fledgling.facts.learner import OnlineLearner, load_gate_readers
from fledgling.facts.measuring.anchors import held_out
from fledgling.facts.measuring.streams import read_fact_stream
from fledgling.memory.corrections import CorrectionMemory
from fledgling.memory.drift import drifting, read_table
from fledgling.memory.experiments import (
    compare_routers,
    correct_and_ask,
    forgetting_study,
    time_lookups,
)
from fledgling.memory.figures import routing_table
from fledgling.models.loading import load_embedder, load_model
from fledgling.settings import load_config

# Corrections that no model can know beforehand.
CASES = [
    ("Where is the spare key?", "under the blue pot"),
    ("What is the wifi password?", "marmalade42"),
    ("Who waters the plants?", "Ingrid"),
    ("When does the market close?", "half past two"),
    ("What is our cat called?", "Pfeffer"),
]
REPORTED = range(1000, 1020)  # seeds that nothing was chosen by


def say(metric: str, target: str, measured: float) -> None:
    outcome = "passed" if verdict(metric, target, measured).passed else "FAILED"
    print(f"{metric:32} {target:8} {measured:10.3f}  {outcome}")


def measure_corrections(_: argparse.Namespace) -> None:
    config = load_config("full", overrides={"core.device": "cpu"})
    runtime = start(device="cpu", dtype=config.core.dtype, threads=config.core.threads)
    loaded = load_model(config.models, runtime)
    memory = CorrectionMemory(":memory:", load_embedder(), config.memory.corrections)
    for prompt in held_out():
        memory.store(prompt, "nothing that is asked about here")
    used = []
    for record in correct_and_ask(loaded, memory, CASES):
        used.append(contains(record.values["after"], [record.values["answer"]]))
        print(record.name, "→", record.values["after"][:70])
    say("correction.used", ">= 0.8", float(np.mean(used)))
    say("correction.added_ms", "<= 10", time_lookups(memory, held_out()))


def measure_consolidation(arguments: argparse.Namespace) -> None:
    config = load_config(
        "full", recipe="shared", overrides={"core.device": "cpu", "facts.adapter.first_layer": 18}
    )
    runtime = start(device="cpu", dtype=config.core.dtype, threads=config.core.threads)
    loaded, readers = load_model(config.models, runtime), load_gate_readers()
    stream = read_fact_stream(DATA / "facts" / "tuning.jsonl")
    turns = [item.turn for item in stream if item.turn.text][: arguments.facts]

    def build() -> OnlineLearner:
        return OnlineLearner(loaded, config.facts, config.language, readers=readers)

    lost = {}
    for record in forgetting_study(
        build, config.memory.consolidation, turns, config.memory.experiment.arms
    ):
        lost[record.name] = record.values["forgotten"]
        print(record.name, record.step, f"{record.values['forgotten']:.3f}", flush=True)
    for arm in ("deep", "creative", "both"):
        say(f"consolidation.forgetting_ratio {arm}", "<= 0.5", lost[arm] / lost["none"])


def measure_routers(arguments: argparse.Namespace) -> None:
    config = load_config()
    section, count = config.memory.router, config.memory.experiment.queries
    if arguments.table:
        embedder = load_embedder()
        prices = dict(pair.split("=") for pair in arguments.price)
        prices = {name: float(value) for name, value in prices.items()}
        streams = [read_table(arguments.table, embedder, prices, seed) for seed in (0, 1, 2)]
    else:
        streams = [drifting(count, seed) for seed in REPORTED]
    records = list(compare_routers(streams, section))
    print(routing_table(records).to_string())
    if not arguments.table:
        late = [row.values["recovery"] for row in records if row.name == section.name]
        median = float(np.median([np.inf if one is None else one for one in late]))
        say("router.recovery_queries", "<= 200", median)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    commands.add_parser("corrections").set_defaults(run=measure_corrections)
    consolidating = commands.add_parser("consolidation")
    consolidating.add_argument("--facts", type=int, default=6)
    consolidating.set_defaults(run=measure_consolidation)
    routing = commands.add_parser("routers")
    routing.add_argument("--table", type=Path)
    routing.add_argument("--price", nargs="*", default=[], help="MODEL=SHARE of an answer's worth")
    routing.set_defaults(run=measure_routers)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
