"""The bars of package feedback, measured.

python benchmarks/feedback.py fit      # the judge fitted without readers, as a control
python benchmarks/feedback.py judge    # its bars on held-out dialogues, beside the documented rule
python benchmarks/feedback.py buffer   # 100,000 exchanges: speed, memory, kill -9
python benchmarks/feedback.py train    # 200 project examples; --quantization nf4
python benchmarks/feedback.py habits   # every habit on its held-out prompts; --only NAME …
python benchmarks/feedback.py export ADAPTER  # every hop against the merged model

``judge --reactions R --turns T`` judges other people's dialogues too, files in the layout of Petrak
et al. (EMNLP 2023): nothing is fitted or chosen by them.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil

from fledgling.core.files import read_json, write_json
from fledgling.core.records import Feedback
from fledgling.core.records import judge as verdict
from fledgling.core.runtime import seed_everything, start
from fledgling.core.statistics import mean_interval
from fledgling.facts.measuring.anchors import held_in
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.feedback.habits import learn_habits, measure_habit, read_habits, recognise
from fledgling.feedback.judging.classifier import Coefficients, Fitting
from fledgling.feedback.judging.dialogues import (
    HARD,
    HELD_OUT,
    LABELS,
    TRAIN,
    VALIDATION,
    Labelled,
    read_corrections,
    read_dialogues,
    read_exchanges,
)
from fledgling.feedback.judging.fitting import fit
from fledgling.feedback.judging.judge import Judge, rule_labels
from fledgling.feedback.judging.metrics import calibration, class_scores, macro_f1
from fledgling.feedback.judging.signals import Exchange
from fledgling.feedback.judging.span_reader import Reading
from fledgling.feedback.judging.words import plain
from fledgling.feedback.pairs import score_pairs
from fledgling.feedback.preferences import teach
from fledgling.feedback.rows import entries_of, rows_of
from fledgling.models.export import export
from fledgling.models.gguf_files import FORMS
from fledgling.models.loading import load_embedder, load_model
from fledgling.models.peft_folders import attach_peft
from fledgling.models.twins import twin
from fledgling.settings import load_config

NEGATIVE_REACTIONS = ("UR2", "UR3", "UR4", "UR5", "B1", "B4", "B5", "B6")


def training_dialogues() -> list[Labelled]:
    """What the judge learns from: the project's dialogues, and those whose reactions are hard."""
    return read_dialogues(TRAIN) + read_dialogues(TRAIN, HARD)


def fit_and_report(
    readings: np.ndarray | None = None, spans: Mapping[Exchange, Reading] | None = None
) -> Coefficients:
    """Fit on the training dialogues, and say what cross-validation by dialogue finds.
    ``readings`` (N, 4) and ``spans``: what readers that had not seen the dialogues say of them.
    """
    config = load_config()
    section = config.feedback.signals
    labelled = training_dialogues() + read_exchanges()
    embedder, corrections = load_embedder(), read_corrections(TRAIN)
    coefficients, left_out = fit(
        labelled, embedder, section, config.language, Fitting(), corrections, readings, spans
    )
    truth = [one.label for one, _, _ in left_out]
    found = [
        LABELS[int(shares.argmax())] if shares.max() >= section.min_probability else "neutral"
        for _, shares, _ in left_out
    ]
    answers = [plain(answer) in wanted(one) for one, _, answer in left_out if one.answers]
    print(f"{len(labelled)} labelled exchanges, cross-validated by dialogue on {len(left_out)}:")
    print_classes(truth, found)
    print(f"answers of corrections read rightly {np.mean(answers):.3f} of {len(answers)}")
    judge = Judge(embedder, section, config.language, coefficients)
    unseen = [
        plain(judge.answer(one.exchange)) in wanted(one) for one in read_corrections(VALIDATION)
    ]
    print(f"  and of corrections written beside them {np.mean(unseen):.3f} of {len(unseen)}")
    report_labels("hard dialogues, not fitted", read_dialogues(VALIDATION, HARD), judge)
    return coefficients


def report_labels(name: str, labelled: Sequence[Labelled], judge: Judge) -> None:
    """How well the labels of exchanges are told."""
    found = judge.judge([one.exchange for one in labelled])
    print(f"{name}: {len(labelled)}")
    print_classes([one.label for one in labelled], [one.label for one in found])
    read = corrections_read(labelled, found, judge)
    print(f"  answers {read['answer']:.3f}, found out and read {read['end_to_end']:.3f}")


def fit_judge(_: argparse.Namespace) -> None:
    """The judge without readers: the control of train_feedback_reader.py. Nothing is stored."""
    fit_and_report()


def wanted(one: Labelled) -> set[str]:
    """The answers accepted, as they are compared."""
    return {plain(answer) for answer in one.answers}


def print_classes(truth: Sequence[str], found: Sequence[str]) -> None:
    scores = class_scores(truth, list(found), LABELS)
    for label, score in scores.items():
        print(
            f"  {label:11} precision {score['precision']:.3f} recall {score['recall']:.3f}"
            f" F1 {score['f1']:.3f} of {score['count']}"
        )
    print(f"  macro-F1 {macro_f1(truth, list(found), LABELS):.3f}")


def measure_judge(arguments: argparse.Namespace) -> None:
    """The judge on held-out dialogues, and on other people's where their files are given."""
    config = load_config()
    judge = Judge(load_embedder(), config.feedback.signals, config.language)
    labelled = read_dialogues(HELD_OUT)
    started = time.perf_counter()
    feedback = judge.judge([one.exchange for one in labelled])
    seconds = time.perf_counter() - started
    truth, found = [one.label for one in labelled], [one.label for one in feedback]
    print(
        f"held-out dialogues: {len(labelled)} turns, {1000 * seconds / len(labelled):.1f} ms each"
    )
    print_classes(truth, found)
    right = [a == b for a, b in zip(truth, found, strict=True)]
    error, _ = calibration([one.confidence for one in feedback], right)
    print(f"  expected calibration error {error:.3f}")
    read = corrections_read(labelled, feedback, judge)
    positive = class_scores(truth, found, LABELS)["positive"]["precision"]
    print("the documented rule (a follow-up is positive):")
    rule = rule_labels([one.exchange for one in labelled], judge)
    print_classes(["negative" if one == "correction" else one for one in truth], rule)
    print_verdicts(
        ("feedback.macro_f1", ">= 0.85", macro_f1(truth, found, LABELS)),
        ("feedback.positive_precision", ">= 0.85", positive),
        ("feedback.corrections", ">= 0.9", read["answer"]),
        ("feedback.corrections_end_to_end", ">= 0.9", read["end_to_end"]),
    )
    if arguments.reactions:
        report_others("reactions to errors", read_reactions(arguments.reactions), judge)
    if arguments.turns:
        report_others("all annotated turns", read_turns(arguments.turns), judge)


def corrections_read(
    labelled: Sequence[Labelled], feedback: Sequence[Feedback], judge: Judge
) -> dict[str, float]:
    """Of the corrections, the share whose answer is read rightly: where the turn is known to be a
    correction, and where the judge must find that out too.
    """
    pairs = [
        (one, said)
        for one, said in zip(labelled, feedback, strict=True)
        if one.label == "correction"
    ]
    both = [plain(said.correction) in wanted(one) for one, said in pairs]
    known = [plain(judge.answer(one.exchange)) in wanted(one) for one, _ in pairs]
    return {"answer": float(np.mean(known)), "end_to_end": float(np.mean(both))}


def print_verdicts(*rows: tuple[str, str, float]) -> None:
    for metric, target, measured in rows:
        outcome = "passed" if verdict(metric, target, measured).passed else "FAILED"
        print(f"{metric:34} {target:9} {measured:9.4f}  {outcome}")


def read_reactions(path: Path) -> Iterator[tuple[Exchange, bool]]:
    """(exchange, negative?) of the file of prepared reactions."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["user_reaction"].strip():
                prompt = row["context"].split("<user>")[-1].split("<system>")[0].strip()
                exchange = Exchange(prompt, row["error_text"], row["user_reaction"].strip())
                yield exchange, row["user_reaction_type"] != "Ignore and Continue"


def read_turns(path: Path) -> Iterator[tuple[Exchange, bool]]:
    """(exchange, negative?) of every turn of the annotated dialogues: negative where at least half
    of those who annotated the turn saw a reaction to an error other than going on.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            negative = {
                note["turn"]
                for note in row["annotations"] or []
                if _saw_reaction(note["annotation"])
            }
            turns = row["turns"]
            for place in range(1, len(turns)):
                before, turn = turns[place - 1], turns[place]
                said = turn["utterance"].strip()
                if said and said != "<SILENCE>" and before["response"].strip(" -"):
                    exchange = Exchange(before["utterance"].strip(), before["response"], said)
                    yield exchange, place in negative


def _saw_reaction(annotations: Sequence[dict[str, str | None]]) -> bool:
    reactions = [one.get("user_reaction") or "" for one in annotations if one]
    said = [one for one in reactions if one]
    return bool(said) and 2 * sum(one in NEGATIVE_REACTIONS for one in said) >= len(said)


def report_others(name: str, rows: Iterator[tuple[Exchange, bool]], judge: Judge) -> None:
    """Negative F1 and positive precision; corrections count as negative."""
    rows = list(rows)
    truth = ["negative" if negative else "other" for _, negative in rows]
    feedback = judge.judge([exchange for exchange, _ in rows])
    rule = rule_labels([exchange for exchange, _ in rows], judge)
    print(f"{name}: {len(rows)} turns, {truth.count('negative')} negative")
    print("  (no turn is annotated as positive: right here means that no error was seen before it)")
    for who, labels in (("judge", [one.label for one in feedback]), ("rule", rule)):
        bad = ["negative" if label in ("negative", "correction") else "other" for label in labels]
        score = class_scores(truth, bad, ("negative", "other"))["negative"]
        said = [
            t != "negative" for t, label in zip(truth, labels, strict=True) if label == "positive"
        ]
        precision = float(np.mean(said)) if said else float("nan")
        print(
            f"  {who:6} negative: precision {score['precision']:.3f} recall {score['recall']:.3f}"
            f" F1 {score['f1']:.3f};  positive: {len(said)} said, precision {precision:.3f}"
        )


def measure_buffer(arguments: argparse.Namespace) -> None:
    """Exchanges through the buffer: a second, memory, size and counters after kill -9."""
    section = load_config().feedback.buffer
    with tempfile.TemporaryDirectory() as folder:
        buffer = FeedbackBuffer(Path(folder) / "store.sqlite", section)
        process, half = psutil.Process(), arguments.count // 2
        started = time.perf_counter()
        buffer.add_all(synthetic(0, half))
        middle = process.memory_info().rss
        buffer.add_all(synthetic(half, arguments.count - half))
        seconds = time.perf_counter() - started
        grown = (process.memory_info().rss - middle) / 2**20
        started = time.perf_counter()
        for feedback, history, better in synthetic(arguments.count, 2000):
            buffer.add(feedback, history=history, better=better)
        alone = 2000 / (time.perf_counter() - started)
        counters = buffer.counters()
        file_mb = (Path(folder) / "store.sqlite").stat().st_size / 2**20
        print(f"{arguments.count} exchanges in {seconds:.1f} s; one a transaction {alone:.0f}/s")
        print(f"memory grew by {grown:.1f} MB in the second half; the file has {file_mb:.1f} MB")
        exact = kill_and_count(Path(folder) / "killed.sqlite")
    print_verdicts(
        ("buffer.per_second", ">= 2000", arguments.count / seconds),
        ("buffer.size", f"<= {section.capacity}", counters.size),
        ("buffer.grown_mb", "<= 5", grown),
        ("buffer.exact_after_kill", ">= 1", float(exact)),
    )


def synthetic(start: int, count: int) -> Iterator[tuple[Feedback, list[dict[str, str]], str]]:
    """Exchanges of ordinary length, all different."""
    generator = np.random.default_rng(start)
    labels = ("neutral", "positive", "negative", "correction")
    for number in range(start, start + count):
        label = labels[int(generator.integers(4))]
        yield (
            Feedback(
                label,
                float(generator.uniform(0.4, 1.0)),
                f"Question {number}: how long does it take to get to place {number % 97}?",
                f"It takes about {number % 50} minutes by train, with one change on the way.",
                "and by bike?" if label == "neutral" else "no, it takes longer",
                0.5,
                ("follow_up",) if label == "neutral" else ("denial",),
                f"{number % 60} minutes" if label == "correction" else "",
            ),
            [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}],
            "",
        )


def kill_and_count(path: Path) -> bool:
    """Kill a process in the middle of adding; True when counters and content agree afterwards."""
    command = [sys.executable, __file__, "fill", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 20_000:
            break
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().split("\n")[:-1]
    reported = int(rest[-1]) if rest else int(line)
    process.wait()
    buffer = FeedbackBuffer(path, load_config().feedback.buffer)
    counters = buffer.counters()
    held = [entry.feedback.label for entry in buffer.entries()]
    return (
        reported <= counters.processed <= reported + 100
        and counters.implicit + counters.explicit == counters.processed
        and counters.size == len(held)
        and counters.positive == held.count("positive")
    )


def fill(arguments: argparse.Namespace) -> None:
    """Add until killed, saying how many are committed."""
    buffer = FeedbackBuffer(arguments.path, load_config().feedback.buffer)
    done = 0
    while True:
        done += buffer.add_all(synthetic(done, 100))
        print(done, flush=True)


def measure_training(arguments: argparse.Namespace) -> None:
    """Train on the project's dialogues; which of two replies is preferred on held-out ones."""
    changes = {
        "models.quantization": arguments.quantization,
        "core.dtype": arguments.dtype,
        "core.device": "cpu",
    }
    config = load_config("full", overrides=changes)
    runtime = start(device=config.core.device, dtype=config.core.dtype, threads=config.core.threads)
    section = config.feedback
    entries = [one for one in entries_of(read_dialogues(TRAIN)) if one.feedback.label != "neutral"]
    rows = rows_of(entries[: arguments.examples])
    unseen = rows_of(entries_of(read_dialogues(HELD_OUT))).pairs
    loaded = load_model(config.models, runtime)
    print(f"{len(rows.examples)} examples, {len(rows.pairs)} pairs; {len(unseen)} held-out pairs")
    limit = section.training.max_tokens
    before = [
        score.prefers_chosen
        for score in score_pairs(loaded.model, loaded.tokenizer, unseen, max_tokens=limit)
    ]
    folder = arguments.out / f"{arguments.dtype}-{arguments.quantization}"
    started = time.perf_counter()
    for record in teach(loaded, rows, section.training, section.preferences, folder=folder):
        if record.event == "update":
            print(record.name, record.step, record.values["of"], f"{record.values['loss']:.3f}")
    seconds = time.perf_counter() - started
    adapted = attach_peft(loaded, folder)
    after = [
        score.prefers_chosen
        for score in score_pairs(adapted, loaded.tokenizer, unseen, max_tokens=limit)
    ]
    gains = [float(b) - float(a) for a, b in zip(before, after, strict=True)]
    gain = mean_interval(gains)
    print(f"preferred rightly: base {np.mean(before):.3f}, adapter {np.mean(after):.3f}")
    print(f"gain {gain}; {seconds:.0f} s on {runtime.threads} thread(s)")
    print_verdicts(
        ("train.minutes", "<= 10", seconds / 60), ("train.preference_gain", "> 0", gain.mean)
    )


def measure_habits(arguments: argparse.Namespace) -> None:
    """Each habit alone, learned from its corrections; scores are kept and resumed in a file."""
    config = load_config("full", overrides={"core.device": "cpu"})
    runtime = start(device="cpu", dtype=config.core.dtype, threads=config.core.threads)
    section, embedder = config.feedback.habits, load_embedder()
    loaded = load_model(config.models, runtime)
    habits = read_habits()
    arguments.out.mkdir(parents=True, exist_ok=True)
    scores = []
    for name in arguments.only or section.names:
        path, folder = arguments.out / f"{name}.json", arguments.out / name
        if not path.is_file():
            assert recognise(habits[name].shown)[:1], name
            steps = learn_habits(
                loaded, [habits[name]], section, config.feedback.training, folder=folder
            )
            seconds = time.perf_counter()
            for _ in steps:
                pass
            seconds = time.perf_counter() - seconds
            other = twin(loaded)
            acting = dataclasses.replace(other, model=attach_peft(other, folder))
            score = measure_habit(loaded, acting, habits[name], section, embedder)
            write_json(path, {**vars(score), "seconds": seconds})
        score = read_json(path)
        scores.append(score)
        print(
            f"{name:20} adapter {score['followed']:.2f}  prompt {score['prompted']:.2f}  nothing"
            f" {score['nothing']:.2f}  content {score['content_kept']:.3f}"
            f"  {score['seconds']:.0f} s  {score['example'][:60]!r}",
            flush=True,
        )
    followed = float(np.mean([score["followed"] for score in scores]))
    kept = float(np.mean([score["content_kept"] for score in scores]))
    print_verdicts(
        ("habits.followed", ">= 0.9", followed),
        ("habits.content_kept", ">= 0.95", kept),
        ("habits.prompted", ">= 0", float(np.mean([score["prompted"] for score in scores]))),
    )


def measure_export(arguments: argparse.Namespace) -> None:
    """Every hop of an export."""
    config = load_config("full")
    texts = held_in()[: config.feedback.export.texts]
    top = {}
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        for hop in export(config.models, arguments.adapter, out, list(FORMS), texts):
            print(hop, flush=True)
            top[hop.name] = hop.top1
    print_verdicts(
        ("export.f16.top1", ">= 0.999", top["f16"]),
        ("export.q8_0.top1", ">= 0.99", top["q8_0"]),
        ("export.q4_0.top1", ">= 0", top["q4_0"]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    commands.add_parser("fit").set_defaults(run=fit_judge)
    judging = commands.add_parser("judge")
    judging.add_argument("--reactions", type=Path, help="preprocessed reactions, .jsonl.gz")
    judging.add_argument("--turns", type=Path, help="annotated dialogues, .jsonl.gz")
    judging.set_defaults(run=measure_judge)
    buffering = commands.add_parser("buffer")
    buffering.add_argument("--count", type=int, default=100_000)
    buffering.set_defaults(run=measure_buffer)
    training = commands.add_parser("train")
    training.add_argument("--quantization", default="none", choices=("none", "nf4"))
    training.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16"))
    training.add_argument("--examples", type=int, default=200)
    training.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "feedback")
    training.set_defaults(run=measure_training)
    habits = commands.add_parser("habits")
    habits.add_argument("--only", nargs="*")
    habits.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "habits")
    habits.set_defaults(run=measure_habits)
    exporting = commands.add_parser("export")
    exporting.add_argument("adapter", type=Path)
    exporting.set_defaults(run=measure_export)
    filling = commands.add_parser("fill")
    filling.add_argument("path", type=Path)
    filling.set_defaults(run=fill)
    arguments = parser.parse_args()
    seed_everything(0)
    arguments.run(arguments)


if __name__ == "__main__":
    main()
