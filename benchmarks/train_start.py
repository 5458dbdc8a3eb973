"""Train the start of a fact's adapter (facts/learning/start.py) on the tuning facts:

    python benchmarks/train_start.py --minutes 60
    python benchmarks/train_start.py --kinds    # the word bank's categories, after a change

One meta-step: take a tuning fact, practise it for as many updates as a turn has, from the
start; then ask its probes and near misses, and move the start by the gradient found there
(first-order MAML). What counts is measured on the everyday facts, which are validation data.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from fledgling.core.answers import contains
from fledgling.core.files import write_atomically
from fledgling.core.records import Example, Fact
from fledgling.core.runtime import start
from fledgling.facts.learner import OnlineLearner, load_gate_readers
from fledgling.facts.learning.alternatives import KINDS, kind_means
from fledgling.facts.learning.losses import row_means
from fledgling.facts.learning.start import STARTS, save_start
from fledgling.facts.measuring.streams import TaughtFact, tuning
from fledgling.language.facts import take_at_word
from fledgling.models.loading import load_embedder, load_model
from fledgling.settings import Config, load_config

OUTER_LR, WARM_UP, CLIP = 1e-3, 20, 1.0
ASKED = {"direct": 1, "paraphrase": 3, "reverse": 1, "one_word": 2, "yes_no": 4, "choice": 2}
ASKED |= {"in_passing": 1, "untold": 3}  # questions of each kind in a meta-step
NOTE = "Here is what I know: {statement}"


def main(
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of facts, rows and probes drawn.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the start goes.")] = STARTS,
    onwards: Annotated[bool, typer.Option(help="Go on from what is there.")] = True,
    kinds: Annotated[bool, typer.Option("--kinds", help="Only embed the word bank.")] = False,
) -> None:
    if kinds:
        means = torch.tensor(kind_means(load_embedder().embed)).half()
        write_atomically(KINDS, lambda path: save_file({"means": means}, path))
        return
    path = out / "smollm2-135m.safetensors"
    begin = "learned" if onwards and path.is_file() else "random"
    config = load_config("full", recipe="practised", overrides={"facts.adapter.start": begin})
    loaded = load_model(config.models, start(seed=seed, dtype="bfloat16"))
    readers = load_gate_readers()
    learner = OnlineLearner(loaded, config.facts, config.language, readers=readers, seed=seed)
    train(learner, config, path, until=time.monotonic() + 60 * minutes, rng=random.Random(seed))


def train(
    learner: OnlineLearner, config: Config, path: Path, *, until: float, rng: random.Random
) -> None:
    """Move the start until the time is up; every 25 steps it is written."""
    facts = [(taught, take_at_word(taught.turn, config.language)) for taught in tuning()]
    adapter, trainer = learner.adapter, learner.trainer
    origin = {name: each.detach().clone() for name, each in adapter.parameters.items()}
    outer = torch.optim.AdamW(origin.values(), lr=OUTER_LR, betas=(0.9, 0.98), weight_decay=0.0)
    seen: list[tuple[float, float]] = []
    while time.monotonic() < until:
        taught, fact = rng.choice(facts)
        adapter.start_from(origin)
        trainer.start_fresh()
        batches = learner.lessons.batches(fact, rng, 0)
        lr = config.facts.learning.lr
        updates = list(trainer.learn(batches, lr=lr, kl_weight=0.0))
        asked = questions(taught, fact, config.facts.practice.untold, rng)
        rows = learner.adapted.encode(asked)
        each = cross_entropy(learner.adapted.logits(rows), rows.targets, reduction="none")
        loss = row_means(each, rows.row_of_target, len(asked)).mean()
        for parameter in adapter.parameters.values():
            parameter.grad = None
        loss.backward()
        for name, parameter in adapter.parameters.items():
            origin[name].grad = parameter.grad.clone()
        torch.nn.utils.clip_grad_norm_(origin.values(), CLIP)
        for group in outer.param_groups:
            group["lr"] = OUTER_LR * min(1.0, (len(seen) + 1) / WARM_UP)
        outer.step()
        seen.append((updates[-1].loss, loss.item()))
        if len(seen) % 25 == 0:
            last, asked_loss = (sum(each) / 25 for each in zip(*seen[-25:], strict=True))
            print(f"{len(seen)} steps: last update {last:.3f}, asked {asked_loss:.3f}", flush=True)
            save_start(path, adapter, origin)
    save_start(path, adapter, origin)


def questions(taught: TaughtFact, fact: Fact, untold: str, rng: random.Random) -> Sequence[Example]:
    """Some of a fact's probes and near misses with the replies that are right."""
    found: dict[str, list[Example]] = {}
    for probe in taught.probes:
        form = probe.form or probe.kind
        if form == "two_facts":
            continue
        reply = _right_reply(form, probe.answers, fact)
        found.setdefault(form, []).append(Example(probe.question, reply, form, fact.id))
    for near in taught.neighbours:
        found.setdefault("untold", []).append(Example(near.question, untold, "untold", fact.id))
    return [
        example
        for form, count in ASKED.items()
        for example in rng.sample(found.get(form, []), min(count, len(found.get(form, []))))
    ]


def _right_reply(form: str, answers: Sequence[str], fact: Fact) -> str:
    if form in ("yes_no", "one_word", "choice"):
        return f"{answers[0][:1].upper()}{answers[0][1:]}."
    if form == "in_passing":
        return NOTE.replace("{statement}", fact.statement)
    return fact.statement if contains(fact.statement, answers) else answers[0]


if __name__ == "__main__":
    typer.run(main)
