"""One contestant of benchmarks/peers.py in a process of its own, which starts this file:
python benchmarks/contestants.py NAME COURSE RESULT

Each contestant is told the same facts in the same order and asked the same questions. A recipe of
this project learns from the turns; a peer, which has no way to read a turn, is given the rows that
the recipe per_fact renders of them. A peer's package is imported when it is asked for.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import typer
from peer_learners import PEERS, TUNED, Peer

from fledgling.core import runtime
from fledgling.core.answers import contains, is_exact
from fledgling.core.files import read_json, write_json
from fledgling.core.records import Example
from fledgling.facts.learner import load_gate_readers
from fledgling.facts.measuring.anchors import held_out
from fledgling.facts.measuring.editing import NeighbourResult, ProbeResult, editing_metrics
from fledgling.facts.measuring.experiments import run_stream
from fledgling.facts.measuring.scoring import is_right
from fledgling.facts.measuring.stability import Drift, drift
from fledgling.facts.measuring.streams import TaughtFact, everyday, tuning
from fledgling.feedback.trl_parts import peak_memory_mb
from fledgling.language.facts import take_at_word
from fledgling.language.settings import LanguageSection
from fledgling.models.generation import chat_text, replies
from fledgling.models.loading import LoadedModel, load_model
from fledgling.settings import load_config

STREAMS = {"everyday": everyday, "tuning": tuning}


@dataclass(frozen=True)
class Result:
    """What one contestant reached. Shares of questions, nats per token, median seconds from telling
    a fact to having learned it, and the most memory of its process until the last was learned.
    """

    name: str
    direct: float | None = None
    rephrased: float | None = None
    reverse: float | None = None
    use: float | None = None
    near_miss: float | None = None
    anchor_kl: float | None = None
    seconds: float | None = None
    memory_mib: float | None = None
    error: str = ""

    @classmethod
    def of(cls, name: str, metrics: dict[str, float | None], *, seconds: float, memory: float):
        """From the metrics of the contract."""
        return cls(
            name,
            direct=metrics["efficacy"],
            rephrased=metrics["generalization"],
            reverse=metrics["reverse"],
            use=metrics["use"],
            near_miss=metrics["near_miss"],
            anchor_kl=metrics["anchor_kl"],
            seconds=seconds,
            memory_mib=memory,
        )

    @property
    def recall(self) -> float:
        """The mean over direct, rephrased and reverse questions; nothing where it did not run."""
        return statistics.mean(
            share or 0.0 for share in (self.direct, self.rephrased, self.reverse)
        )


@dataclass(frozen=True)
class Course:
    """The facts to tell, in order, and the rows that the recipe per_fact renders of each."""

    stream: str
    facts: list[TaughtFact]
    rows: list[list[Example]]

    def save(self, path: Path) -> None:
        """Write it down for other processes; the facts by their ids."""
        rows = [[dataclasses.asdict(row) for row in taught] for taught in self.rows]
        ids = [fact.id for fact in self.facts]
        write_json(path, {"stream": self.stream, "facts": ids, "rows": rows})

    @classmethod
    def read(cls, path: Path) -> Course:
        """What ``save`` wrote."""
        saved = read_json(path)
        rows = [[Example(**row) for row in taught] for taught in saved["rows"]]
        return cls(saved["stream"], chosen(saved["stream"], saved["facts"]), rows)


def chosen(stream: str, ids: Sequence[str]) -> list[TaughtFact]:
    """Facts by their ids, without the questions that need a fact which is not among them."""
    by_id = {fact.id: fact for fact in STREAMS[stream]()}
    return [
        dataclasses.replace(
            by_id[one],
            probes=tuple(
                probe for probe in by_id[one].probes if not probe.other or probe.other in ids
            ),
        )
        for one in ids
    ]


def run_recipe(name: str, course: Course) -> Result:
    """A recipe of this project, told the turns themselves."""
    config = load_config("full", recipe=name)
    loaded, readers = load_model(config.models, runtime.start()), load_gate_readers()
    memory, metrics = 0.0, {}
    for record in run_stream(
        loaded,
        readers,
        config.facts,
        config.language,
        course.facts,
        name=name,
        anchors=held_out(),
        reply=False,
    ):
        if record.event == "retention":
            memory = peak_memory_mb(loaded.device)
        metrics = record.values if record.event == "metrics" else metrics
    return Result.of(name, metrics, seconds=metrics["seconds_per_turn"], memory=memory)


def run_peer(name: str, course: Course) -> Result:
    """A peer, told the rows; ``name`` may end in a colon and another value of its tuned number."""
    kind, _, value = name.partition(":")
    config, started = load_config("full", recipe="per_fact"), runtime.start()
    loaded = load_model(config.models, started)
    peer = PEERS[kind](loaded, config, float(value or TUNED[kind]))
    seconds = []
    for rows in course.rows:
        begun = time.perf_counter()
        peer.teach(rows)
        seconds.append(time.perf_counter() - begun)
    memory = peak_memory_mb(loaded.device)
    base = load_model(config.models, started)  # a peer may have changed the other one for good
    total = anchor_drift(peer, base, held_out())
    probes = ask_probes(peer, course.facts, config.language)
    metrics = editing_metrics(probes, ask_neighbours(peer, base, course.facts))
    metrics["anchor_kl"] = total.kl / total.tokens
    return Result.of(name, metrics, seconds=statistics.median(seconds), memory=memory)


def ask_probes(
    peer: Peer, facts: Sequence[TaughtFact], language: LanguageSection
) -> list[ProbeResult]:
    """Every probe, scored as those of the recipes are."""
    asked = [(fact, probe) for fact in facts for probe in fact.probes]
    answers = peer.answer([probe.question for _, probe in asked])
    results = []
    for (fact, probe), answer in zip(asked, answers, strict=True):
        stated = (fact.turn.text, take_at_word(fact.turn, language).statement)
        hit, exact = is_right(probe, answer, stated=stated), is_exact(answer, probe.answers)
        about = (fact.id, probe.kind, probe.question, answer)
        results.append(ProbeResult(*about, hit=hit, exact=exact, opened=True, form=probe.form))
    return results


def ask_neighbours(
    peer: Peer, base: LoadedModel, facts: Sequence[TaughtFact]
) -> list[NeighbourResult]:
    """Every neighbour question, beside what the frozen base answers."""
    asked = [(fact, neighbour) for fact in facts for neighbour in fact.neighbours]
    questions = [neighbour.question for _, neighbour in asked]
    before, after = replies(base, questions), peer.answer(questions)
    results = []
    for (fact, one), old, new in zip(asked, before, after, strict=True):
        hit = contains(new, one.forbidden) and not contains(old, one.forbidden)
        about = (fact.id, one.kind, one.question, new, old)
        results.append(NeighbourResult(*about, hit=hit, opened=True))
    return results


@torch.no_grad()
def anchor_drift(peer: Peer, base: LoadedModel, anchors: Sequence[str]) -> Drift:
    """How far a peer has moved from the frozen base along the base's own answers."""
    tokenizer, total = base.tokenizer, Drift()
    for question, answer in zip(anchors, replies(base, anchors), strict=True):
        prompt = chat_text(base, question)
        text = prompt + (answer or ".") + tokenizer.eos_token
        inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        ids = inputs["input_ids"].to(base.device)
        start = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
        frozen = base.model(input_ids=ids).logits[0, start - 1 : -1]
        tuned = peer.logits(question, ids, start)
        total += drift(frozen.float(), tuned.float(), ids[0, start:])
    return total


def main(name: str, course: Path, result: Path) -> None:
    run = run_peer if name.partition(":")[0] in PEERS else run_recipe
    write_json(result, dataclasses.asdict(run(name, Course.read(course))))


if __name__ == "__main__":
    application = typer.Typer(pretty_exceptions_enable=False)  # peers.py reads the traceback
    application.command()(main)
    application()
