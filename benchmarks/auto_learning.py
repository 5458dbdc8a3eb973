"""Auto-learning's bars, measured.

python benchmarks/auto_learning.py gate       # false promotions, tasks to a verdict, sensitivity
python benchmarks/auto_learning.py peers      # the gate beside savvi's tests, on the same tasks
python benchmarks/auto_learning.py users      # what counting every task of a user would do
python benchmarks/auto_learning.py pipeline   # a million outcomes beside the same SQL by hand
python benchmarks/auto_learning.py kill       # kill -9 at random points, then compare all tables
python benchmarks/auto_learning.py rollback   # seconds, and the champion's bytes
python benchmarks/auto_learning.py ahead      # prediction before deployment, choice of areas
python benchmarks/auto_learning.py real       # a real fine-tune, promoted, and a spoiled one
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from fledgling.auto_learning import areas, prediction, rollout
from fledgling.auto_learning.medallion import gold, pipeline
from fledgling.auto_learning.medallion.ledger import GOLD, LAYERS
from fledgling.auto_learning.medallion.rules import NAMES, TEXTS, typing_sql
from fledgling.auto_learning.medallion.silver import MERIT, OUTCOME
from fledgling.auto_learning.metrics import join, median_and_power, promoted_by
from fledgling.auto_learning.outcomes import TaskOutcome
from fledgling.auto_learning.promotion import decisions
from fledgling.auto_learning.promotion.betting import Past, lay_bets, log_capital
from fledgling.auto_learning.promotion.trials import World, draw, run_trials
from fledgling.auto_learning.registry import Model, Registry, hash_folder
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.traffic import Task, assign, uniform
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.files import write_text
from fledgling.core.layers import override
from fledgling.core.records import judge
from fledgling.settings import load_config

START = datetime(2026, 10, 1, tzinfo=UTC)
RATES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95)


def gate(section: AutoLearningSection, tests: int) -> dict[str, float]:
    """False promotions at 10% and 50%, tasks and power at +5 and −15 points, and both over the
    champion's completion rate.
    """
    trials, horizon = section.trials, section.gate.horizon
    measured: dict[str, float] = {}

    def run(world: World, seed: int, count: int = tests):
        return join(run_trials(world, section, tests=count, horizon=horizon, seed=seed))

    for share in (section.gate.canary_share, 0.5):
        stops = run(World(trials.completion, trials.quality, share=share), seed=1)
        for row in promoted_by(stops, share):
            measured[f"aa.{row['rule'].replace(' ', '_')}.{share:g}"] = row["promoted"]
        measured[f"aa.rolled_back.{share:g}"] = float(np.isfinite(stops.gate_rolls_back).mean())
    measured["aa.false_promotion"] = max(
        measured[f"aa.the_gate.{share:g}"] for share in (section.gate.canary_share, 0.5)
    )
    better = run(World(trials.completion, trials.quality, trials.gain), seed=2)
    median, power = median_and_power(better.gate_promotes)
    measured |= {"gain5.median_tasks": median, "gain5.power": power}
    worse = run(World(trials.completion, trials.quality, -trials.loss), seed=3)
    median, power = median_and_power(worse.gate_rolls_back)
    measured |= {"loss15.median_tasks": median, "loss15.power": power}
    print(f"{'champion':>9} {'+5 points':>18} {'+5 and quality +.2':>20} {'−15 points':>18}")
    for rate in RATES:
        cells = []
        for gain, quality in ((trials.gain, 0.0), (trials.gain, 0.2), (-trials.loss, 0.0)):
            stops = run(World(rate, trials.quality, gain, quality), seed=4, count=tests // 4)
            at = stops.gate_promotes if gain > 0 else stops.gate_rolls_back
            cells.append("{:>8.0f} at {:.3f}".format(*median_and_power(at)))
        print(f"{rate:>9} {cells[0]:>18} {cells[1]:>20} {cells[2]:>18}", flush=True)
    return measured


def peers(section: AutoLearningSection, tests: int) -> dict[str, float]:
    """The gate's bet and two of savvi's anytime-valid tests on the same completions: promoted when
    nothing differs, and when five points do. Needs ``pip install savvi``.
    """
    from savvi.linear_regression import LinearRegression

    trials, betting, alpha = section.trials, section.betting, section.gate.alpha
    tasks, measured = 1500, {}
    for name, gain in (("aa", 0.0), ("gain5", trials.gain)):
        generator = np.random.default_rng(7)
        world = World(trials.completion, trials.quality, gain)
        found = draw(world, section, (tests, tasks), generator)
        past = Past(betting.past_mean, betting.past_variance, betting.past_tasks)
        bets = lay_bets(found.completed, found.challenger, np.full((tests, tasks), 0.5), past)
        ours = (log_capital(bets, betting) >= -np.log(alpha)).any(1)
        theirs = np.zeros(tests, dtype=bool)
        for test in range(tests):
            regression = LinearRegression(2 * alpha, 2)  # two-sided: the upper half is ours
            for who, done in zip(found.challenger[test], found.completed[test], strict=True):
                regression.update(np.array([done, 1.0, float(who)]))
                regression.infer()
                if regression.conf_int[1, 0] > 0.0:
                    theirs[test] = True
                    break
        measured |= {f"{name}.gate": ours.mean(), f"{name}.savvi_regression": theirs.mean()}
    return {key: float(value) for key, value in measured.items()}


def users(section: AutoLearningSection, tests: int) -> dict[str, float]:
    """A/A tests with users who differ (some nearly always fail) and are assigned as a whole: what
    counting all of their tasks promotes, and what counting the first of each does.
    """
    generator = np.random.default_rng(5)
    people, each = 60, 25
    past = Past(section.betting.past_mean, section.betting.past_variance, 10.0)
    promoted = {"all_tasks": 0, "first_tasks": 0}
    for _ in range(tests):
        skill = generator.beta(0.8, 0.4, people)
        side = generator.random(people) < 0.5
        who = generator.integers(0, people, people * each)
        scores = (generator.random(len(who)) < skill[who]).astype(float)
        _, first = np.unique(who, return_index=True)
        for name, chosen in (("all_tasks", np.arange(len(who))), ("first_tasks", np.sort(first))):
            bets = lay_bets(scores[chosen], side[who[chosen]], np.full(len(chosen), 0.5), past)
            capital = log_capital(bets, section.betting)
            promoted[name] += bool((capital >= -np.log(section.gate.alpha)).any())
    return {f"false_promotion.{name}": count / tests for name, count in promoted.items()}


def write_outcomes(path: Path, count: int, days: int = 30) -> None:
    """Outcomes as a sender writes them, one in a thousand broken and one in a hundred twice."""
    generator = np.random.default_rng(0)
    words = np.array(
        [
            "the",
            "parcel",
            "came",
            "late",
            "and",
            "an",
            "invoice",
            "shows",
            "two",
            "charges",
            "please",
            "refund",
            "one",
        ]
    )
    texts = [" ".join(generator.choice(words, 24)) for _ in range(4000)]
    rating = generator.integers(2, 11, count) / 2.0
    seconds = np.exp(generator.normal(4.0, 1.0, count)).round(1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            at = START + timedelta(seconds=number * days * 86400 / count)
            line = json.dumps(
                {
                    "task_id": f"task-{number:08d}",
                    "master": "support",
                    "area": f"area-{number % 5}",
                    "model": "support-base",
                    "user": f"user-{number % 5000}",
                    "prompt": f"{texts[number % 4000]} {number}",
                    "reply": f"{texts[(7 * number) % 4000][:90]} {number}",
                    "success": bool(rating[number] > 1.5),
                    "quality": rating[number],
                    "seconds": seconds[number],
                    "errors": 0,
                    "retries": int(number % 20 == 0),
                    "finished": at.isoformat(),
                }
            )
            file.write(line + "\n")
            if number % 100 == 50:
                file.write(line + "\n")
            if number % 1000 == 500:
                file.write(line[: len(line) // 2] + "\n")


def by_hand(section: AutoLearningSection, source: Path, folder: Path) -> None:
    """The same layers as a script of SQL statements: no ledger, no resuming, no second run."""
    import duckdb

    rules = section.rules
    duck = duckdb.connect(
        config={
            "memory_limit": f"{section.medallion.memory_mb}MB",
            "preserve_insertion_order": False,
            "temp_directory": str(folder / "spill"),
        }
    )
    duck.execute("SET TimeZone = 'UTC'")
    folder.mkdir(parents=True)
    duck.execute(
        f"""COPY (SELECT row_number() OVER () AS row, TIMESTAMP '2026-11-21' AS received,
            octet_length(encode(line)) AS size, NULL::VARCHAR AS kept, encode(line) AS line
        FROM read_csv('{source}', columns = {{'line': 'VARCHAR'}}, delim = '\x01', quote = '',
            escape = '', header = false, auto_detect = false, max_line_size = 2000000))
        TO '{folder}/bronze.parquet' (FORMAT parquet, COMPRESSION zstd)"""
    )
    duck.execute(f"CREATE VIEW received AS FROM '{folder}/bronze.parquet'")
    duck.execute(f"CREATE TEMP TABLE typed AS {typing_sql()}")
    hostile = "|".join(f"(?:{pattern})" for pattern in rules.hostile.values()).replace("'", "''")
    names = " AND ".join(f"regexp_matches({name}, '{rules.name_pattern}')" for name in NAMES)
    texts = " AND ".join(
        f"length({name}) <= {rules.text_chars} AND NOT regexp_matches({name}, '{hostile}')"
        for name in TEXTS
    )
    sound = f"""reason IS NULL AND {names} AND {texts} AND regexp_matches("user",
        '^$|{rules.name_pattern}') AND seconds BETWEEN 0 AND {rules.seconds}
        AND (quality IS NULL OR quality BETWEEN {rules.lowest_quality} AND {rules.highest_quality})
        AND errors BETWEEN 0 AND {rules.count} AND retries BETWEEN 0 AND {rules.count}
        AND finished >= TIMESTAMP '{rules.earliest}' AND ahead_s <= {rules.future_s}"""
    options = "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), WRITE_PARTITION_COLUMNS true)"
    duck.execute(
        f"""CREATE TEMP TABLE losers AS SELECT row FROM (
            SELECT row, row_number() OVER (PARTITION BY task_id ORDER BY {MERIT}, row) AS place
            FROM typed SEMI JOIN (SELECT task_id FROM typed WHERE {sound} GROUP BY task_id
                HAVING count(*) > 1) AS repeated ON typed.task_id = repeated.task_id
            WHERE {sound}) WHERE place > 1"""
    )
    duck.execute(
        f"""COPY (SELECT {OUTCOME} FROM typed ANTI JOIN losers ON typed.row = losers.row
            WHERE {sound}) TO '{folder}/silver' {options}"""
    )
    duck.execute(
        f"""COPY (SELECT row, received, received::DATE AS day, reason FROM typed
            WHERE NOT coalesce({sound}, false) UNION ALL BY NAME
            SELECT row, received, received::DATE AS day, 'a duplicate' AS reason
            FROM typed SEMI JOIN losers ON typed.row = losers.row)
        TO '{folder}/quarantine' {options}"""
    )
    duck.execute(f"CREATE VIEW outcomes AS FROM read_parquet('{folder}/silver/*/*.parquet')")
    duck.execute(f"CREATE TEMP TABLE features AS {gold.tasks_sql(section)}")
    for name, query in (
        ("tasks", "FROM features"),
        ("examples", gold.examples_sql(section)),
        ("daily", gold.DAILY_SQL),
    ):
        duck.execute(f"COPY ({query}) TO '{folder}/{name}' {options}")


def pipeline_bars(count: int, rounds: int) -> dict[str, float]:
    """Ours and by hand in processes of their own, in turn; the best of each. Then ours again."""
    with tempfile.TemporaryDirectory(prefix="fledgling-") as name:
        folder = Path(name)
        (folder / "auto" / "inbox").mkdir(parents=True)
        source = folder / "auto" / "inbox" / "outcomes.jsonl"
        write_outcomes(source, count)
        runs: dict[str, list[dict[str, float]]] = {"ours": [], "hand": []}
        for _ in range(rounds):
            for kind in ("hand", "ours"):
                shutil.rmtree(folder / "hand", ignore_errors=True)
                if kind == "ours":
                    for path in (folder / "auto").iterdir():
                        if path.name != "inbox":
                            shutil.rmtree(path) if path.is_dir() else path.unlink()
                runs[kind].append(_timed(f"_{kind}", folder))
                print(kind, runs[kind][-1], flush=True)
        second = _timed("_ours", folder)
        with Workspace.open(folder / "auto") as workspace:
            rows = pipeline.rows(workspace)
    print(rows)
    best = {kind: min(run["seconds"] for run in found) for kind, found in runs.items()}
    work = {kind: min(run["cpu_seconds"] for run in found) for kind, found in runs.items()}
    return {
        "pipeline.seconds": best["ours"],
        "pipeline.by_hand_seconds": best["hand"],
        "pipeline.ratio": best["ours"] / best["hand"],
        "pipeline.cpu_ratio": work["ours"] / work["hand"],
        "pipeline.gib": max(run["gib"] for run in runs["ours"]),
        "pipeline.second_seconds": second["seconds"],
        "pipeline.second_identical": float(second["digest"] == runs["ours"][-1]["digest"]),
        "pipeline.lost": float(rows["bronze"] - rows["silver"] - rows["quarantine"]),
    }


def _timed(step: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, step, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _step(section: AutoLearningSection, step: str, folder: Path) -> None:
    """One measured step, in a process of its own: seconds, processor seconds, memory, tables."""
    started = time.perf_counter()
    digest = ""
    if step == "_hand":
        by_hand(section, folder / "auto" / "inbox" / "outcomes.jsonl", folder / "hand")
        seconds = time.perf_counter() - started
    else:
        with Workspace.open(folder / "auto") as workspace:
            pipeline.run(workspace, section, START + timedelta(days=51))
            seconds = time.perf_counter() - started
            usage = resource.getrusage(resource.RUSAGE_SELF)
            digest = _digest(workspace)
    usage = usage if step == "_ours" else resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": round(seconds, 2),
                "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
                "gib": round(usage.ru_maxrss / 2**20, 3),
                "digest": digest,
            }
        )
    )


def _digest(workspace: Workspace) -> str:
    """A hash of every byte of every file that belongs to a table."""
    ledger = pipeline.ledger_of(workspace)
    files = [path for layer in LAYERS for path in ledger.files(ledger.parts(layer))]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode() + Path(path).read_bytes())
    return digest.hexdigest()


def live(section: AutoLearningSection, folder: Path, steps: int) -> None:
    """A life in steps that may be cut anywhere and begun again: each is done once in effect."""
    with Workspace.open(folder) as workspace:
        registry = Registry(workspace)
        registry.start("support", START)
        for step in range(steps):
            now = START + timedelta(hours=2 * step)
            if step % 8 == 2:
                _deploy_once(workspace, section, f"model-{step}", now)
            path = workspace.inbox / f"{step:03d}.jsonl"
            if not path.is_file():
                write_text(path, "".join(_lines(workspace, section, step, now)))
            pipeline.run(workspace, section, now + timedelta(hours=1))
            rollout.check(workspace, section, "support", now + timedelta(hours=1))


def _deploy_once(
    workspace: Workspace, section: AutoLearningSection, name: str, now: datetime
) -> None:
    registry = Registry(workspace)
    if registry.find(name) is None:
        write_text(workspace.models / name / "weights", name)
        champion = registry.serving("support")
        whole = hash_folder(workspace.models / name)
        registry.add(Model(name, "support", champion.id, name, whole, name, now.isoformat()))
    deployed = workspace.store.execute("SELECT 1 FROM tests WHERE challenger = ?", (name,))
    if deployed.fetchone() is None and rollout.open_test(workspace, "support") is None:
        rollout.deploy(workspace, section, name, now)


def _lines(
    workspace: Workspace, section: AutoLearningSection, step: int, now: datetime
) -> list[str]:
    """Tasks of one step with their outcomes, some broken, some late, some twice."""
    lines = []
    for number in range(150):
        task = Task(f"task-{step}-{number}", "support", f"Question {step} {number}?", "kim")
        chosen = assign(workspace, task, section.gate, now)
        rate = 0.85 if chosen.variant == "champion" else (0.98, 0.6)[step // 8 % 2]
        good = uniform("outcome", task.id) < rate
        late = timedelta(days=2) if number % 40 == 7 else timedelta()
        quality = 4.5 if good else 1.5
        told = TaskOutcome(task, chosen.model, "Yes.", good, quality, 40.0, now - late)
        lines.append(told.to_line() + "\n")
        if number % 25 == 3:
            lines.append(lines[-1])
        if number % 50 == 9:
            lines.append(lines[-1][:60] + "\n")
    return lines


def kill(section: AutoLearningSection, kills: int, steps: int) -> dict[str, float]:
    """The same life undisturbed and with kill -9 at random points; all tables and decisions must be
    equal.
    """
    with tempfile.TemporaryDirectory(prefix="fledgling-") as name:
        calm, rough = Path(name) / "calm", Path(name) / "rough"
        started = time.perf_counter()
        _live(calm, steps).wait()
        seconds = time.perf_counter() - started
        chance, killed = random.Random(0), 0
        while killed < kills:
            process = _live(rough, steps)
            try:
                # early enough to hit every stage of the work, start included
                process.wait(timeout=chance.uniform(0.3, seconds / 4))
                shutil.rmtree(rough)  # it came to its end: begin anew, to be killed again
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
        failed = _live(rough, steps).wait()
        same = [_all_of(section, folder) for folder in (calm, rough)]
        differing = [key for key in same[0] if same[0][key] != same[1][key]]
    print(f"{killed} kills, then it {'failed' if failed else 'finished'}; differing: {differing}")
    print({key: value if isinstance(value, int) else "…" for key, value in same[0].items()})
    verdicts = [row[0] for row in same[0]["decisions"]]
    print({verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))})
    return {"kill.kills": float(killed), "kill.differences": float(len(differing) + failed)}


def _live(folder: Path, steps: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "_live", "--folder", str(folder), "--steps", str(steps)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def _all_of(section: AutoLearningSection, folder: Path) -> dict[str, object]:
    """Gold, who serves, and every decision with its grounds but not its id."""
    with Workspace.open(folder) as workspace:
        found: dict[str, object] = {
            layer: pipeline.digest(workspace, section, layer) for layer in GOLD
        }
        found["rows"] = pipeline.rows(workspace)["silver"]
        made = decisions.decisions(workspace, "support")
        found["decisions"] = [
            (one.verdict, one.reason, one.tasks, one.evidence_hash, json.dumps(one.record))
            for one in made
        ]
        found["served"] = [
            (change["alias"], change["model"], change["since"])
            for change in Registry(workspace).history("support")
        ]
        replays = [decisions.replay(workspace, section, one.id).same for one in made]
        found["replays"] = all(replays)
    return found


def rollback(section: AutoLearningSection, rounds: int) -> dict[str, float]:
    """Seconds from the look that finds a regression to the champion alone serving, and whether its
    bytes are what they were; the store holds 20,000 assignments.
    """
    with (
        tempfile.TemporaryDirectory(prefix="fledgling-") as name,
        Workspace.open(name) as workspace,
    ):
        registry = Registry(workspace)
        for model in ("good", "bad"):
            path = workspace.models / model / "adapter_model.safetensors"
            path.parent.mkdir()
            path.write_bytes(os.urandom(8_000_000))
            whole = hash_folder(path.parent)
            registry.add(Model(model, "support", None, model, whole, model, START.isoformat()))
        registry.set_alias("support", "champion", "good", START, why="benchmark")
        seconds = []
        for _ in range(rounds):
            test = rollout.deploy(workspace, section, "bad", START)
            rows = [
                (
                    test.id,
                    place,
                    place,
                    f"t-{place}",
                    ("champion", "challenger")[place % 2],
                    0.5,
                    "a",
                    place % 2 == 0,
                    4.0,
                    30.0,
                )
                for place in range(2000)
            ]
            workspace.store.executemany(
                "INSERT INTO evidence (test, position, assignment, task_id, variant, share, area,"
                " completed, quality, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            started = time.perf_counter()
            decision = rollout.check(workspace, section, "support", START + timedelta(hours=1))
            assert decision is not None and decision.verdict == "ROLL BACK"
            assert registry.serving("support").id == "good"
            seconds.append(time.perf_counter() - started)
        same = hash_folder(workspace.models / "good") == registry.get("good").bytes_hash
    return {"rollback.seconds": max(seconds), "rollback.bytes_unchanged": float(same)}


def ahead(section: AutoLearningSection) -> dict[str, float]:
    """Is a predicted probability worth its number, and does the choice of areas beat simpler
    ones?
    """
    generator = np.random.default_rng(0)
    said, better = prediction.rehearse(
        section.prediction, candidates=4000, tasks=150, generator=generator
    )
    bins = prediction.reliability(said, better, section.prediction)
    skipped = said < section.prediction.skip_below
    measured = {
        "prediction.calibration_error": prediction.calibration_error(bins),
        "prediction.skipped": float(skipped.mean()),
        "prediction.better_among_skipped": float(better[skipped].mean()),
        "prediction.better_among_deployed": float(better[~skipped].mean()),
    }
    worlds = {
        "small_areas_fail": ((0.55, 0.25, 0.15, 0.05), (0.2, 0.5, 0.3, 0.9)),
        "large_area_fails": ((0.7, 0.2, 0.05, 0.05), (0.4, 0.1, 0.3, 0.1)),
    }
    for world, (shares, losses) in worlds.items():
        for policy in ("ranked", "uniform", "worst"):
            left = [
                areas.rehearse(
                    policy,
                    shares=shares,
                    losses=losses,
                    budget=300,
                    section=section.areas,
                    generator=np.random.default_rng(seed),
                )
                for seed in range(20)
            ]
            measured[f"areas.{world}.{policy}"] = float(np.mean(left))
    return measured


def real(seed: int) -> dict[str, float]:
    """The notebook's experiment on the embedded model, from its newest stored run."""
    from fledgling.core.paths import REPORTS
    from fledgling.reports.runner import newest

    command = [sys.executable, "-m", "fledgling", "report", "08_auto_learning", "--force"]
    started = time.perf_counter()
    subprocess.run([*command, "--seed", str(seed)], check=True)
    found = newest("08_auto_learning", REPORTS)
    return {**found["metrics"], "notebook.seconds": time.perf_counter() - started}


BARS = {
    "aa.false_promotion": "<= 0.05",
    "gain5.median_tasks": "<= 800",
    "gain5.power": ">= 0.95",
    "loss15.median_tasks": "<= 250",
    "rollback.seconds": "< 1",
    "rollback.bytes_unchanged": "== 1",
    "pipeline.seconds": "<= 60",
    "pipeline.gib": "<= 2",
    "pipeline.ratio": "<= 1.2",
    "pipeline.second_seconds": "<= 5",
    "pipeline.second_identical": "== 1",
    "pipeline.lost": "== 0",
    "kill.differences": "== 0",
    "better.promoted": "== 1",
    "spoiled.rolled_back": "== 1",
    "notebook.seconds": "<= 75",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure one thing, print its verdicts and figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what")
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--outcomes", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args(arguments)
    section = override(load_config().auto_learning, {"medallion.threads": 2})
    if given.what in ("_ours", "_hand"):
        return _step(section, given.what, given.folder)
    if given.what == "_live":
        return live(section, given.folder, given.steps)
    measured = {
        "gate": lambda: gate(section, given.tests),
        "peers": lambda: peers(section, min(given.tests, 100)),
        "users": lambda: users(section, min(given.tests, 500)),
        "pipeline": lambda: pipeline_bars(given.outcomes, given.rounds),
        "kill": lambda: kill(section, given.kills, given.steps),
        "rollback": lambda: rollback(section, 5),
        "ahead": lambda: ahead(section),
        "real": lambda: real(given.seed),
    }[given.what]()
    for metric, target in BARS.items():
        if metric in measured:
            verdict = judge(metric, target, measured[metric])
            word = "passed" if verdict.passed else "FAILED"
            print(f"{word}  {metric} {verdict.measured:.4f}  {target}")
    print(json.dumps({name: round(value, 4) for name, value in measured.items()}, indent=2))
    return None


if __name__ == "__main__":
    main()
