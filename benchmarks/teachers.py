"""The teachers' bars, measured: faults and budget, latency, decision overhead, trust on real votes.

python benchmarks/teachers.py                           # everything that needs no data of yours
python benchmarks/teachers.py trust --items I --votes V # trust, on votes in LLMBar's layout
python benchmarks/teachers.py tune --tune-on I V        # how the values of trust were chosen

Trust is chosen by ``tune`` alone: on simulated judges, and on votes of tasks that nothing is
reported of. What ``trust`` reports was not looked at while choosing.
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
from scipy.special import expit

from fledgling.core.layers import override
from fledgling.core.paths import ROOT
from fledgling.core.records import Verdict, judge
from fledgling.models.loading import load_embedder
from fledgling.settings import load_config
from fledgling.teachers.aggregators.agreement import EmbeddingCache
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.aggregators.trust import fit_trust
from fledgling.teachers.aggregators.trust_trials import (
    gain_interval,
    summarise,
    trust_trials,
)
from fledgling.teachers.answers import Answer
from fledgling.teachers.building import endpoint_teachers
from fledgling.teachers.calibration import expected_calibration_error
from fledgling.teachers.mock import MockTeacher, load_quiz
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.settings import MockManner, TeachersSection
from fledgling.teachers.votes import Preferences, load_preferences, shared_prompts

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
                    "retry": {"attempts": 4, "call_share": 0.07, "base_s": 0.02, "cap_s": 0.2},
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
        with TeacherPool(endpoint_teachers(section, remember=False), section) as pool:
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
    """Weights from ``labels`` gold answers, judged on the rest, means over ``draws``: with the
    judges' votes averaged over all their prompts, and with one prompt a judge (the mean over the
    prompts that all of them were asked with). The best single judge has the same prompts.
    """
    section = load_config().teachers
    averaged = load_preferences(items, votes)
    measured = {
        f"averaged.{name}": value for name, value in _tried(averaged, section, labels, draws)
    }
    alone: dict[str, list[float]] = {}
    for prompt in shared_prompts(votes):
        one = load_preferences(items, votes, prompts=[prompt])
        for name, value in _tried(one, section, labels, draws):
            alone.setdefault(name, []).append(value)
    measured |= {f"one_prompt.{name}": statistics.mean(found) for name, found in alone.items()}
    return measured | {"one_prompt.count": float(len(alone["accuracy"]))}


def _tried(
    pool: Preferences, section: TeachersSection, labels: int, draws: int
) -> list[tuple[str, float]]:
    trials = list(
        trust_trials(pool.votes, pool.truth, pool.teachers, section, labels=labels, draws=draws)
    )
    gain = gain_interval(trials)
    measured = summarise(trials, bins=section.trust.bins)
    measured |= {"gain": gain.mean, "gain_low": gain.low, "gain_high": gain.high}
    return list(measured.items())


def simulate(random: np.random.Generator, questions: int) -> tuple[np.ndarray, np.ndarray]:
    """Votes (N, T) of made-up judges and the truth (N,): two to eight of them, good or bad, of
    families that err together, some falling for traps, some for the order they were shown, asked
    once or up to twenty times.
    """
    count = int(random.integers(2, 9))
    mean, spread = random.uniform(-0.2, 1.8), random.uniform(0.2, 1.1)
    ability = random.normal(mean, spread, count)
    difficulty = random.normal(0, 1, questions) * random.uniform(0.3, 1.5)
    trapped = random.random(questions) < random.uniform(0, 0.45)
    weakness = np.clip(1.5 - 0.5 * (ability - mean) / spread, 0.1, 3)
    gullible = np.abs(random.normal(0, random.uniform(0.2, 2.5), count)) * weakness
    family = random.integers(0, int(random.integers(1, count + 1)), count)
    shared = random.normal(0, random.uniform(0, 1.5), (questions, count))[:, family]
    own = random.normal(0, random.uniform(0, 1.0), (questions, count))
    grasp = ability - difficulty[:, None] - trapped[:, None] * gullible + shared + own
    tries, bias = random.choice([1, 2, 8, 20]), random.normal(0, random.uniform(0, 1.5), count)
    sharpness, truth = random.uniform(0.8, 4), random.choice([-1.0, 1.0], questions)
    votes = np.zeros((questions, count))
    for number in range(tries):
        order = 1 if number % 2 == 0 else -1  # the outputs change places every other time
        mood = random.normal(0, random.uniform(0, 1.0), count) * random.random()
        likely = expit(sharpness * (grasp + 0.5 * bias * order * truth[:, None] + mood))
        votes += np.where(random.random(likely.shape) < likely, 1, -1) / tries
    return votes * truth[:, None], truth


GRID = {
    "trust.prior_spread": (0.8, 1.2, 2.0),
    "trust.sharpness": (1.0, 1.25, 1.5),
    "trust.level_prior": (10.0, 20.0, 40.0, 60.0),
    "trust.level_gap": (0.0, 0.2, 1.0),
}


def tune(others: list[tuple[Path, Path]], *, pools: int, labels: int, seed: int) -> None:
    """How the values of ``trust`` were chosen, by mean calibration error over simulated judges and
    over the votes of ``others``, tasks that no figure is reported of. One value is varied at a time
    around the present ones; the table is what there is to choose from.
    """
    section = load_config().teachers
    random = np.random.default_rng(seed)
    tasks = {"simulated": [simulate(random, 220) for _ in range(pools)]}
    for items, votes in others:
        pool = load_preferences(items, votes)
        tasks[items.stem] = [(pool.votes, pool.truth)]
    for key, values in GRID.items():
        for value in values:
            changed = override(section, {key: value})
            found = {name: _calibration(some, changed, labels) for name, some in tasks.items()}
            shown = "  ".join(f"{name} {error:.4f}" for name, error in found.items())
            print(f"{key}={value}: mean {statistics.mean(found.values()):.4f}  {shown}", flush=True)


def _calibration(
    tasks: list[tuple[np.ndarray, np.ndarray]], section: TeachersSection, labels: int
) -> float:
    random, errors = np.random.default_rng(0), []
    draws = 40 if len(tasks) == 1 else 2
    for votes, truth in tasks * draws:
        names = tuple(f"t{place}" for place in range(votes.shape[1]))
        gold = random.choice(len(truth), labels, replace=False)
        rest = np.setdiff1d(np.arange(len(truth)), gold)
        choice, sure = fit_trust(votes[gold], truth[gold], names, section.trust).choose(votes[rest])
        right = (choice == truth[rest]).astype(float)
        errors.append(expected_calibration_error(sure, right, bins=section.trust.bins))
    return statistics.mean(errors)


def main() -> None:
    """Measure, print one verdict a line, write JSON with --out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("all", "trust", "tune"), default="all")
    bench = Path(os.environ.get("FLEDGLING_BENCH", ROOT.parent / "shared" / "bench"))
    parser.add_argument("--items", type=Path, default=bench / "llmbar_dev_items.jsonl.gz")
    parser.add_argument("--votes", type=Path, default=bench / "llmbar_dev_votes.csv.gz")
    parser.add_argument(
        "--tune-on", type=Path, nargs=2, action="append", default=[], metavar=("ITEMS", "VOTES")
    )
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--pools", type=int, default=60)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.what == "tune":
        tune(given.tune_on, pools=given.pools, labels=given.labels, seed=given.seed)
        return
    measured, verdicts = _pools(given.questions) if given.what == "all" else ({}, [])
    if given.items.is_file() and given.votes.is_file():
        found = trust(given.items, given.votes, labels=given.labels, draws=given.draws)
        measured |= {f"trust.{name}": value for name, value in found.items()}
        for way in ("averaged", "one_prompt"):
            # as good as the best single judge, as far as so many questions can tell
            gain = judge(f"trust.{way}.gain_high", ">= 0", measured[f"trust.{way}.gain_high"])
            error = judge(f"trust.{way}.ece", "<= 0.05", measured[f"trust.{way}.ece"])
            verdicts += [gain, error]
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


def _pools(questions: int) -> tuple[dict[str, float], list[Verdict]]:
    """Faults, latency and overhead, with their verdicts."""
    measured = {f"faults.{name}": value for name, value in faults(questions).items()}
    measured |= {"pool_over_slowest": latency(20), "decision_ms": overhead(300)}
    targets = {
        "faults.answered_in_time": ">= 0.99",
        "faults.lost": "<= 0",
        "faults.busiest_window": f"<= {LIMIT}",
        "pool_over_slowest": "<= 1.1",
        "decision_ms": "<= 2",
    }
    return measured, [judge(name, target, measured[name]) for name, target in targets.items()]


if __name__ == "__main__":
    main()
