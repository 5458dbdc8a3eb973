"""One model for reading and arithmetic: the table of what it shows, seed by seed, and the trainer's
speed.

python benchmarks/multitask.py seed 0   # trains together, alone and in sequence
python benchmarks/multitask.py speed    # the trainer against a plain PyTorch loop of the same model
python benchmarks/multitask.py llm      # the language model as backbone, small, as it is
python benchmarks/multitask.py table    # means over the seeds measured so far, with 95% intervals

All choices are made on validation; ``seed`` and ``llm`` read the test once, at their end.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import torch
from torch.nn import functional

from fledgling.core.files import read_json, write_json
from fledgling.core.layers import override
from fledgling.core.paths import REPORTS
from fledgling.core.records import judge
from fledgling.core.runtime import start
from fledgling.core.statistics import Interval, mean_interval
from fledgling.settings import load_config
from fledgling.tasks.experiments import Headline, Sequel
from fledgling.tasks.metrics import histories, task_metrics
from fledgling.tasks.store import measure_stored
from fledgling.tasks.study import Study, load_base, prepare_study

FOLDER = REPORTS / "benchmarks" / "multitask"
TARGETS = {
    "accuracy.kindergarten": ">= 0.98",
    "accuracy.math": ">= 0.98",
    "forgetting.kindergarten": "<= 0.01",
    "forgetting.math": "<= 0.01",
    "sequential.just_taught.kindergarten": ">= 0.9",
    "sequential.none.forgetting.kindergarten": ">= 0.3",
    "sequential.rehearsal.forgetting.kindergarten": "<= 0.03",
    "transfer.kindergarten": ">= -0.01",
    "transfer.math": ">= -0.01",
    "file_megabytes": "<= 5",
    "logits_identical": "== 1",
    "seconds_until_0.95": "<= 60",
    "seconds_over_alone": "<= 2.2",
    "steps_over_plain_loop": ">= 0.95",
}


def measure_seed(seed: int, preset: str) -> dict[str, Any]:
    """Everything of one seed: metrics by name, and the test's accuracy by skill."""
    config = load_config(preset)
    runtime = start(seed=seed, device=config.core.device, threads=config.core.threads)
    base = load_base(config.tasks, config.models, runtime)
    headline = Headline(prepare_study(config.tasks, seed=seed, device=runtime.device, base=base))
    list(headline.train())
    sequel = Sequel(headline, ("none", "rehearsal"))
    records = list(sequel.train())
    report = headline.report()
    metrics = headline.metrics(report) | measure_stored(headline.model, headline.study)
    metrics |= {
        f"alone.accuracy.{task}": one.accuracy
        for task in headline.study.tasks
        for one in report[f"alone.{task}"].values()
    }
    metrics |= sequel.metrics(records)
    skills = {task: one.by("skill", one.correct) for task, one in report["together"].items()}
    return {"metrics": metrics, "skills": skills, "threads": runtime.threads}


def measure_speed(preset: str, *, updates: int = 150, rounds: int = 5) -> dict[str, float]:
    """Updates a second of the trainer over those of a plain loop; the two take turns, the median
    ratio counts.
    """
    config = load_config(preset)
    runtime = start(seed=0, device=config.core.device, threads=config.core.threads)
    once = {"conflict_every": 0, "epochs": 1, "updates_per_epoch": updates // 2}
    section = override(config.tasks, once | {"strategy": "alternating", "remedy": "none"})
    study = prepare_study(section, seed=0, device=runtime.device)
    ratios, rates = [], []
    for _ in range(rounds):
        (record,) = study.trainer().train()
        ours, theirs = record.seconds_training, _plain_seconds(study)
        ratios.append(theirs / ours)
        rates.append(record.updates / ours)
    return {
        "steps_over_plain_loop": statistics.median(ratios),
        "steps_per_second": statistics.median(rates),
    }


def _plain_seconds(study: Study) -> float:
    """The same updates as anyone would write them: same model, batches, loss, clipping and
    optimisers.
    """
    trainer = study.trainer()
    model, optimizers, streams = trainer.model, trainer._optimizers(0), trainer._streams()
    model.train()
    began = time.perf_counter()
    for (task,) in trainer.plan[0].updates:
        part = study.parts[task].train
        rows = torch.from_numpy(next(streams[task]))
        loss = functional.cross_entropy(model(part.inputs.select(rows), task), part.labels[rows])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), study.section.clip_norm)
        for optimizer, schedule in zip(optimizers.all, optimizers.schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return time.perf_counter() - began


def measure_llm(preset: str) -> dict[str, Any]:
    """The same trainer on the language model with LoRA and pooled heads, small as it is, with its
    time.
    """
    config = load_config(preset, overrides={"tasks.backbone": "llm"})
    runtime = start(seed=0, device=config.core.device, threads=config.core.threads)
    base = load_base(config.tasks, config.models, runtime)
    study = prepare_study(config.tasks, seed=0, base=base)
    trainer = study.trainer()
    records = list(trainer.train())
    metrics = task_metrics(histories(records, records[-1].run)) | measure_stored(
        trainer.model, study
    )
    results = study.report(trainer.model)
    metrics |= {f"accuracy.{task}": result.accuracy for task, result in results.items()}
    sizes = {task: len(result.examples) for task, result in results.items()}
    return {
        "metrics": metrics | {"seconds": records[-1].seconds},
        "test_exercises": sizes,
        "updates": records[-1].updates,
        "threads": runtime.threads,
    }


def table() -> list[str]:
    """One line a metric: target, mean over the seeds with its interval, passed or not."""
    seeds = [read_json(path)["metrics"] for path in sorted(FOLDER.glob("seed-*.json"))]
    speed = read_json(FOLDER / "speed.json") if (FOLDER / "speed.json").is_file() else {}
    lines = [f"{len(seeds)} seeds", f"{'metric':48} {'target':10} {'mean [95%]':28} passed"]
    for metric in dict.fromkeys([*TARGETS, *(key for one in seeds for key in one)]):
        values = [one[metric] for one in seeds if one.get(metric) is not None]
        # A seed in which something was not reached counts as not measured, and the bar as failed.
        whole = len(values) == len(seeds) if metric not in speed else True
        values = values or ([speed[metric]] if metric in speed else [])
        found = mean_interval(values) if values else Interval(*[float("nan")] * 3, 0)
        target = TARGETS.get(metric, "")
        measured = found.mean if values and whole else None
        passed = judge(metric, target, measured).passed if target else ""
        lines.append(f"{metric:48} {target:10} {found!s:28} {passed}")
    if (FOLDER / "llm.json").is_file():
        llm = read_json(FOLDER / "llm.json")["metrics"]
        lines += [f"llm.{metric:44} {'':10} {value:.3f}" for metric, value in llm.items()]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("seed", "speed", "llm", "table"))
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--preset", default="full")
    given = parser.parse_args()
    if given.what == "seed":
        write_json(FOLDER / f"seed-{given.seed}.json", measure_seed(given.seed, given.preset))
    elif given.what == "speed":
        write_json(FOLDER / "speed.json", measure_speed(given.preset))
    elif given.what == "llm":
        write_json(FOLDER / "llm.json", measure_llm(given.preset))
    print("\n".join(table()))


if __name__ == "__main__":
    main()
