"""Train one of the gate's pair scorers, which answer together, and write it to
data/facts/gate/scorers/. The packaged ones were made by:

    train_gate.py --held-out 5 --out 0 --rank 8 --generated 12000 --epochs 2 --no-mined
    train_gate.py --held-out 5 --out 1 --no-general
    train_gate.py --held-out 5 --out 2 --seed 1 --generated 12000 --epochs 2
    train_gate.py --out 3 --rank 8 --generated 4000 --epochs 1.2

The fourth has seen the tuning facts' questions of use and their closer near misses.

Then each learned turns that tell a fact in passing, twice, with what it held out before:

    train_gate.py --onwards --out N --no-mined --weight 1 --generated 600 --epochs 0.6 --lr 3e-4
    train_gate.py --onwards --out N --no-mined --weight 1 --generated 300 --epochs 0.3 --lr 2e-4

and, when there were 542 such turns instead of 62, once more:

    train_gate.py --onwards --out N --no-mined --weight 1 --generated 600 --epochs 0.5 --lr 3e-4

``--held-out 5`` leaves every fifth tuning fact out and reports on it.

Learns from data/facts/tuning.jsonl and pairs generated from data/facts/gate/relations.yaml, never
from the facts that are reported on. Ten to twenty minutes.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score
from told_in_passing import wrapped

from fledgling.core import runtime
from fledgling.core.errors import ModelError
from fledgling.core.paths import DATA
from fledgling.facts.gate.ensemble import SCORERS
from fledgling.facts.gate.pairs import generate_pairs
from fledgling.facts.measuring.anchors import held_in, unrelated
from fledgling.facts.measuring.streams import TaughtFact, read_fact_stream, tuning
from fledgling.models.loading import load_embedder
from fledgling.models.pair_scorer import LORA_SCALE, TARGETS, PairScorer, save_pair_scorer

PASSING_WEIGHT = 1  # times that each pair of a fact told in passing comes


@dataclass(frozen=True)
class Pair:
    """A (fact, question) pair: ``label`` 1 where the question asks for what the fact states."""

    fact: str
    question: str
    label: int
    kind: str


def text_of(fact: TaughtFact) -> str:
    """The fact as the gate reads it."""
    return f"{fact.turn.question} {fact.turn.answer}" if fact.turn.question else fact.turn.text


def stream_pairs(facts: list[TaughtFact], rng: random.Random, others: int) -> list[Pair]:
    """Each fact with its own probes and neighbours, and with ``others`` questions about other
    facts.
    """
    asked = [probe.question for fact in facts for probe in fact.probes] + unrelated() + held_in()
    pairs = []
    for fact in facts:
        text = text_of(fact)
        own = {probe.question for probe in fact.probes}
        pairs += [Pair(text, probe.question, 1, probe.kind) for probe in fact.probes]
        pairs += [Pair(text, near.question, 0, near.kind) for near in fact.neighbours]
        pairs += [
            Pair(text, question, 0, "unrelated")
            for question in rng.sample(asked, others)
            if question not in own
        ]
    return pairs


def passing_pairs(facts: list[TaughtFact], rng: random.Random) -> list[Pair]:
    """Whole turns that tell a fact in passing: what people told so, and tuning facts between other
    things.
    """
    told = read_fact_stream(DATA / "facts" / "in_passing.jsonl")
    pairs = PASSING_WEIGHT * stream_pairs(told, rng, others=3)
    plain = [fact for fact in facts if not fact.turn.question]
    texts = [fact.turn.text for fact in plain]
    for fact in plain:
        turn = wrapped(fact.turn.text, texts, rng)
        some = rng.sample(fact.probes, min(4, len(fact.probes)))
        pairs += [Pair(turn, probe.question, 1, probe.kind) for probe in some]
        near = rng.sample(fact.neighbours, min(4, len(fact.neighbours)))
        pairs += [Pair(turn, other.question, 0, other.kind) for other in near]
    turns = sorted({pair.fact for pair in pairs})
    general = (DATA / "facts" / "gate" / "general.txt").read_text(encoding="utf-8").splitlines()
    return pairs + nearest_pairs([*unrelated(), *held_in(), *general], turns, 6)


def nearest_pairs(
    questions: list[str], facts: list[str], count: int, own: dict[str, str] | None = None
) -> list[Pair]:
    """Each question with the ``count`` facts nearest to it that do not answer it: what the gate
    really has to refuse.

    ``own``: question → the fact that answers it.
    """
    embedder, own = load_embedder(), own or {}
    similarity = embedder.embed(questions) @ embedder.embed(facts).T
    pairs = []
    for question, row in zip(questions, similarity, strict=True):
        nearest = [facts[place] for place in np.argsort(-row, kind="stable")[: count + 1]]
        pairs += [
            Pair(fact, question, 0, "nearest") for fact in nearest if fact != own.get(question)
        ][:count]
    return pairs


def mined_pairs(facts: list[TaughtFact], drawn: list[str], general: list[str]) -> list[Pair]:
    """Hard negatives: general questions beside the facts nearest to them, and probes beside other
    facts.
    """
    told = [text_of(fact) for fact in facts]
    own = {probe.question: text_of(fact) for fact in facts for probe in fact.probes}
    asked = [*unrelated(), *held_in(), *general]
    return [*nearest_pairs(asked, told + drawn, 12), *nearest_pairs(list(own), told, 2, own)]


def trainable_scorer(seed: int, rank: int, classes: int = 1) -> tuple[PairScorer, torch.nn.Module]:
    """A scorer whose encoder carries a fresh LoRA."""
    from peft import LoraConfig, get_peft_model  # after the library has quietened it

    torch.manual_seed(seed)
    embedder = load_embedder()
    lora = LoraConfig(
        r=rank, lora_alpha=LORA_SCALE * rank, lora_dropout=0.05, target_modules=list(TARGETS)
    )
    model = get_peft_model(embedder.model, lora)
    head = torch.nn.Linear(384, classes)
    return PairScorer(type(embedder)(model, embedder.tokenizer), head), model


def take_up(path: Path, scorer: PairScorer, model: torch.nn.Module) -> None:
    """The weights of an earlier training."""
    tensors = {name: value.float() for name, value in load_file(path).items()}
    head = {"weight": tensors.pop("head.weight"), "bias": tensors.pop("head.bias")}
    scorer.head.load_state_dict(head)
    names = {f"base_model.model.{name}.default.weight": value for name, value in tensors.items()}
    unknown = model.load_state_dict(names, strict=False).unexpected_keys
    if unknown:
        raise ModelError(f"{path} holds {unknown[0]}, which this scorer has not; give its --rank")


def train(
    scorer: PairScorer,
    model: torch.nn.Module,
    pairs: list[Pair],
    *,
    epochs: float,
    lr: float,
    seed: int,
) -> None:
    """AdamW with one cycle; minibatches of 32 pairs of similar length."""
    rng, size = random.Random(seed), 32
    parameters = [*(p for p in model.parameters() if p.requires_grad), *scorer.head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.01)
    steps = int(epochs * len(pairs) / size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=steps + 1, pct_start=0.1
    )
    model.train()
    started, done, mean = time.time(), 0, 0.7
    while done < steps:
        order = rng.sample(pairs, len(pairs))
        pools = [
            sorted(order[i : i + 16 * size], key=lambda pair: len(pair.fact) + len(pair.question))
            for i in range(0, len(order), 16 * size)
        ]
        batches = [pool[i : i + size] for pool in pools for i in range(0, len(pool), size)]
        for batch in rng.sample(batches, len(batches))[: steps - done]:
            logits = scorer.logits([(pair.fact, pair.question) for pair in batch])
            labels = torch.tensor([float(pair.label) for pair in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            done, mean = done + 1, 0.98 * mean + 0.02 * loss.item()
            if done % 100 == 0:
                print(
                    f"step {done}/{steps}  loss {mean:.3f}  {time.time() - started:.0f} s",
                    flush=True,
                )
    model.eval()


def report(scorer: PairScorer, pairs: list[Pair]) -> None:
    """Area under the curve, and the share opened by kind at several thresholds."""
    scores = scorer.score([(pair.fact, pair.question) for pair in pairs])
    labels, kinds = (
        np.array([pair.label for pair in pairs]),
        np.array([pair.kind for pair in pairs]),
    )
    hard = kinds != "unrelated"
    print(
        f"AUC {roc_auc_score(labels, scores):.4f}, without unrelated"
        f" {roc_auc_score(labels[hard], scores[hard]):.4f}"
    )
    for threshold in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95):
        shares = {
            kind: round(float((scores[kinds == kind] >= threshold).mean()), 3)
            for kind in sorted(set(kinds))
        }
        print(f"opened at {threshold}: {shares}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--generated", type=int, default=16000, help="pairs generated from the relation bank"
    )
    parser.add_argument("--epochs", type=float, default=2.5)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--held-out", type=int, default=0, help="leave every n-th tuning fact out and report on it"
    )
    parser.add_argument(
        "--weight", type=int, default=2, help="how often each pair of the tuning stream is repeated"
    )
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument(
        "--mined",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also refuse the nearest facts that do not answer a question",
    )
    parser.add_argument(
        "--general",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also refuse data/facts/gate/general.txt",
    )
    parser.add_argument(
        "--onwards", action="store_true", help="go on from --out, with turns that tell in passing"
    )
    parser.add_argument("--out", default="0", help="name of the file in data/facts/gate/scorers")
    arguments = parser.parse_args()
    runtime.start(seed=arguments.seed)
    rng = random.Random(arguments.seed)
    facts = tuning()
    left_out = facts[:: arguments.held_out] if arguments.held_out else []
    known = [fact for fact in facts if fact not in left_out]
    pairs = arguments.weight * stream_pairs(known, rng, others=4)
    if arguments.generated:
        drawn = generate_pairs(arguments.generated, seed=arguments.seed)
        pairs += [Pair(pair.fact, pair.question, pair.label, pair.kind) for pair in drawn]
        if arguments.mined:
            general = (
                (DATA / "facts" / "gate" / "general.txt").read_text(encoding="utf-8").splitlines()
            )
            pairs += mined_pairs(
                known, sorted({pair.fact for pair in drawn}), general if arguments.general else []
            )
    scorer, model = trainable_scorer(arguments.seed, arguments.rank)
    target = SCORERS / f"{arguments.out}.safetensors"
    if arguments.onwards:
        pairs += passing_pairs(known, rng)
        take_up(target, scorer, model)
    print(f"{len(pairs)} pairs, {sum(pair.label for pair in pairs) / len(pairs):.0%} positive")
    train(scorer, model, pairs, epochs=arguments.epochs, lr=arguments.lr, seed=arguments.seed)
    if left_out:
        report(scorer, stream_pairs(left_out, rng, others=10))
    save_pair_scorer(target, scorer, model)
    print(f"wrote {target.name}, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
