"""The teachers' bars, measured: faults and budget, latency, decision overhead, trust on real votes.

python benchmarks/teachers.py                       # everything that needs no data of yours
python benchmarks/teachers.py --items I --votes V   # and trust, on votes in LLMBar's layout
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np
from rehearsal import RehearsalServer, faulty_script

from fledgling.core.paths import ROOT
from fledgling.core.records import judge
from fledgling.models.loading import load_embedder
from fledgling.settings import load_config
from fledgling.teachers.aggregators.agreement import EmbeddingCache
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.aggregators.trust_trials import summarise, trust_trials
from fledgling.teachers.answers import Answer
from fledgling.teachers.building import endpoint_teachers
from fledgling.teachers.mock import MockTeacher, load_quiz
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.settings import MockManner
from fledgling.teachers.votes import load_preferences

WINDOW_S, LIMIT = 6.0, 600  # scaled down from a minute: tight enough to hold the pool back


def faults(questions: int) -> dict[str, float]:
    """Questions over real HTTP to three models of one server, 30% of the calls faulty: 24% errors,
    6% stalls.
    """
    script = faulty_script(
        lambda model, question: f"Answer to {question}",
        share=0.24,
        stall_share=0.06,
        delay_s=0.01,
        stall_s=30.0,
        seed=1,
    )
    models = ("a", "b", "c")
    with RehearsalServer(script, models=models) as server:
        section = load_config(
            overrides={
                "teachers": {
                    "pool": {
                        "deadline_s": 12.0,
                        "concurrency": 12,
                        "calls_at_once": 64,
                        "budget_window_s": WINDOW_S,
                        "budget_margin_s": 1.0,
                    },
                    "retry": {"attempts": 4, "call_timeout_s": 0.8, "base_s": 0.02, "cap_s": 0.2},
                    "breaker": {"failures": 8, "cooldown_s": 0.5},
                    "endpoints": [
                        {
                            "name": model,
                            "model": model,
                            "base_url": server.base_url,
                            "needs_key": False,
                            "requests_per_minute": LIMIT,
                        }
                        for model in models
                    ],
                }
            }
        ).teachers
        started = time.monotonic()
        with TeacherPool(endpoint_teachers(section, remember_rate=False), section) as pool:
            replies = list(pool.ask_many([f"question {number}" for number in range(questions)]))
        seconds = time.monotonic() - started
    good = [
        reply
        for reply in replies
        if reply.usable and reply.seconds <= section.pool.deadline_s + 0.05
    ]
    arrived = sorted(call.at for call in server.calls)
    busiest = max(
        bisect.bisect_left(arrived, at + WINDOW_S) - place for place, at in enumerate(arrived)
    )
    return {
        "answered_in_time": len(good) / questions,
        "lost": float(questions - len(replies)),
        "calls": float(len(arrived)),
        "error_statuses": sum(call.status != 200 for call in server.calls) / len(arrived),
        "busiest_window": float(busiest),
        "budget": float(LIMIT),
        "questions_per_second": questions / seconds,
        "p95_seconds": float(np.percentile([reply.seconds for reply in replies], 95)),
    }


def latency(questions: int) -> float:
    """Median over questions of the pool's time over that of its slowest needed teacher (the
    quorum's last).
    """
    section = load_config().teachers
    quiz = load_quiz()[:questions]
    speeds = (0.1, 0.2, 5.0)  # the third is not needed for a quorum of two
    teachers = [
        MockTeacher(f"t{place}", quiz, MockManner(accuracy=1.0, latency_s=speed))
        for place, speed in enumerate(speeds)
    ]
    with TeacherPool(teachers, section) as pool:
        replies = [pool.ask(question.question) for question in quiz]
    return statistics.median(
        reply.seconds
        * 1000
        / sorted(answer.latency_ms for answer in reply.usable)[section.pool.quorum - 1]
        for reply in replies
    )


def overhead(rounds: int) -> float:
    """Median milliseconds of one decision over three answers whose embeddings are known."""
    section = load_config().teachers
    embed = EmbeddingCache(load_embedder().embed)
    answers = [
        Answer("The capital of Australia is Canberra.", "a", 0.9),
        Answer("Canberra", "b", 0.8),
        Answer("Australia's capital is the city of Sydney.", "c", 0.7),
    ]
    times = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        decide("What is the capital of Australia?", answers, section, embed)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[1:])


def trust(items: Path, votes: Path, *, labels: int, draws: int) -> dict[str, float]:
    """Weights from ``labels`` gold answers, judged on the rest, means over ``draws``. The best
    single teacher may be any model with any of its prompts.
    """
    section = load_config().teachers
    pool = load_preferences(items, votes)
    singles = load_preferences(items, votes, by_prompt=True)
    trials = list(
        trust_trials(
            pool.votes,
            pool.truth,
            pool.teachers,
            section,
            labels=labels,
            draws=draws,
            watched=pool.subsets == "Neighbor",
            single_votes=singles.votes,
        )
    )
    return summarise(trials, bins=section.trust.bins)


def main() -> None:
    """Measure, print one verdict a line, write JSON with --out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    bench = Path(os.environ.get("FLEDGLING_BENCH", ROOT.parent / "shared" / "bench"))
    parser.add_argument("--items", type=Path, default=bench / "llmbar_dev_items.jsonl.gz")
    parser.add_argument("--votes", type=Path, default=bench / "llmbar_dev_votes.csv.gz")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    measured = {f"faults.{name}": value for name, value in faults(given.questions).items()}
    measured |= {"pool_over_slowest": latency(20), "decision_ms": overhead(300)}
    verdicts = [
        judge("faults.answered_in_time", ">= 0.99", measured["faults.answered_in_time"]),
        judge("faults.lost", "<= 0", measured["faults.lost"]),
        judge("faults.busiest_window", f"<= {LIMIT}", measured["faults.busiest_window"]),
        judge("pool_over_slowest", "<= 1.1", measured["pool_over_slowest"]),
        judge("decision_ms", "<= 2", measured["decision_ms"]),
    ]
    if given.items.is_file() and given.votes.is_file():
        measured |= {
            f"trust.{name}": value
            for name, value in trust(
                given.items, given.votes, labels=given.labels, draws=given.draws
            ).items()
        }
        verdicts += [
            judge(
                "trust.accuracy",
                f">= {measured['trust.best_single']:.4f}",
                measured["trust.accuracy"],
            ),
            judge("trust.ece", "<= 0.05", measured["trust.ece"]),
            judge("trust.coverage", ">= 0.5", measured["trust.coverage"]),
            judge("trust.flagged_wrong", "> 0.5", measured["trust.flagged_wrong"]),
        ]
    else:
        print(f"trust: not measured, {given.items} and {given.votes} are not there")
    for verdict in verdicts:
        print(
            f"{'passed' if verdict.passed else 'FAILED'}  {verdict.metric} {verdict.measured:.4f} "
            f" {verdict.target}"
        )
    print(json.dumps({name: round(value, 4) for name, value in measured.items()}, indent=2))
    if given.out:
        given.out.write_text(
            json.dumps({"metrics": measured, "verdicts": [v.to_json() for v in verdicts]}, indent=2)
        )


if __name__ == "__main__":
    main()
