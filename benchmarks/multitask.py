"""One model for reading and arithmetic: the table of what it shows, seed by seed, and the trainer's
speed.

python benchmarks/multitask.py seed 0     # trains together, alone and in sequence; about 3 minutes
on two cores python benchmarks/multitask.py speed      # the trainer against a plain PyTorch loop of
the same model python benchmarks/multitask.py llm        # the language model as backbone, small, as
it is python benchmarks/multitask.py table      # means over the seeds measured so far, with 95%
intervals
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from fledgling.core.files import read_json, write_json
from fledgling.core.paths import REPORTS
from fledgling.core.records import StepRecord, judge
from fledgling.core.runtime import start
from fledgling.core.statistics import Interval, mean_interval
from fledgling.models.loading import load_model
from fledgling.settings import load_config
from fledgling.tasks.data.mixing import plan
from fledgling.tasks.experiments import (
    Setting,
    alone,
    histories,
    prepare_llm,
    prepare_setting,
    remedies,
    seconds_until,
)
from fledgling.tasks.metrics import task_metrics, transfer
from fledgling.tasks.model import answer_logits
from fledgling.tasks.store import load_graph_model, save_model

FOLDER = REPORTS / "benchmarks" / "multitask"
TARGETS = {
    "accuracy.kindergarten": ">= 0.98",
    "accuracy.math": ">= 0.98",
    "forgetting.kindergarten": "<= 0.01",
    "forgetting.math": "<= 0.01",
    "sequential.none.forgetting.kindergarten": ">= 0",
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
    """Everything of one seed: metrics by name, accuracy by skill, and the wrong answers."""
    config = load_config(preset)
    runtime = start(seed=seed, device=config.core.device, threads=config.core.threads)
    setting = prepare_setting(config.tasks, seed=seed, device=runtime.device)
    trainer = setting.trainer()
    records = [
        StepRecord(one.step, one.event, "together", one.values) for one in trainer.train("test")
    ]
    metrics = task_metrics(histories(records, "together"))
    metrics["seconds_until_0.95"] = seconds_until(records, 0.95)
    metrics |= stored_and_back(trainer.model, setting)
    single = list(alone(setting))
    names = {task: f"alone.{task}" for task in setting.tasks}
    finals = {task: histories(single, name)[task][-1] for task, name in names.items()}
    metrics |= {f"alone.accuracy.{task}": value for task, value in finals.items()}
    metrics |= transfer({task: metrics[f"accuracy.{task}"] for task in names}, finals)
    seconds = [
        [one for one in single if one.name == name][-1].values["seconds"] for name in names.values()
    ]
    metrics["seconds"] = records[-1].values["seconds"]
    metrics["seconds_over_alone"] = metrics["seconds"] / statistics.mean(seconds)
    metrics |= sequential_metrics(setting)
    return {"metrics": metrics, "skills": records[-1].values["skills"], "threads": runtime.threads}


def sequential_metrics(setting: Setting) -> dict[str, float]:
    """Forgetting of the first task, and the accuracy of the second, without remedy and with
    rehearsal.
    """
    records = list(remedies(setting, ("none", "rehearsal")))
    metrics = {}
    for name in ("sequential.none", "sequential.rehearsal"):
        metrics |= {
            f"{name}.{key}": value for key, value in task_metrics(histories(records, name)).items()
        }
    return metrics


def stored_and_back(model: torch.nn.Module, setting: Setting) -> dict[str, float]:
    """Size of the saved model in megabytes, and 1 where the loaded one gives identical logits."""
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        again = load_graph_model(Path(folder))
        same = all(
            torch.equal(
                answer_logits(model, parts["test"].inputs, task),
                answer_logits(again, parts["test"].inputs, task),
            )
            for task, parts in setting.parts.items()
        )
    return {"file_megabytes": size, "logits_identical": float(same)}


def measure_speed(preset: str, *, updates: int = 150, rounds: int = 5) -> dict[str, float]:
    """Updates a second of the trainer over those of a plain loop; the two take turns, the median
    ratio counts.
    """
    config = load_config(preset, overrides={"tasks.conflict_every": 0, "tasks.epochs": 1})
    runtime = start(seed=0, device=config.core.device, threads=config.core.threads)
    section = config.tasks.model_copy(update={"updates_per_epoch": updates // 2})
    setting = prepare_setting(section, seed=0, device=runtime.device)
    ratios, rates = [], []
    for _ in range(rounds):
        ours, theirs = _trainer_seconds(setting), _plain_seconds(setting)
        ratios.append(theirs / ours)
        rates.append(updates // 2 * 2 / ours)
    return {
        "steps_over_plain_loop": statistics.median(ratios),
        "steps_per_second": statistics.median(rates),
    }


def _trainer_seconds(setting: Setting) -> float:
    """Seconds of one epoch's updates, evaluation left out."""
    return list(setting.trainer().train())[-1].values["seconds_training"]


def _plain_seconds(setting: Setting) -> float:
    """The same updates as anyone would write them: same model, batches, loss, clipping and
    optimisers.
    """
    trainer = setting.trainer()
    section, model, tasks = setting.section, trainer.model, list(setting.tasks)
    epochs = plan("alternating", tasks, epochs=1, updates=section.updates_per_epoch)
    optimizers, streams = trainer._optimizers(epochs, 0).all, trainer._streams(epochs)
    model.train()
    began = time.perf_counter()
    for (task,) in epochs[0].updates:
        part = setting.parts[task]["train"]
        rows = torch.from_numpy(next(streams[task]))
        loss = functional.cross_entropy(model(part.inputs.select(rows), task), part.labels[rows])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), section.clip_norm)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    return time.perf_counter() - began


def measure_llm(preset: str) -> dict[str, Any]:
    """The same trainer on the language model with LoRA and pooled heads, small as it is, with its
    time.
    """
    config = load_config(preset)
    runtime = start(seed=0, device=config.core.device, threads=config.core.threads)
    trainer, tasks = prepare_llm(config.tasks, load_model(config.models, runtime), seed=0)
    records = [StepRecord(one.step, one.event, "llm", one.values) for one in trainer.train("test")]
    metrics = task_metrics(histories(records, "llm"))
    with tempfile.TemporaryDirectory() as folder:
        save_model(trainer.model, Path(folder))
        metrics["file_megabytes"] = (
            sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        )
    sizes = {
        task: {name: len(part) for name, part in splits.parts().items()}
        for task, splits in tasks.items()
    }
    last = records[-1].values
    return {
        "metrics": metrics | {"seconds": last["seconds"]},
        "sizes": sizes,
        "updates": last["updates"],
        "skills": last["skills"],
        "threads": runtime.threads,
    }


def table() -> list[str]:
    """One line a metric: target, mean over the seeds with its interval, passed or not."""
    seeds = [read_json(path)["metrics"] for path in sorted(FOLDER.glob("seed-*.json"))]
    speed = read_json(FOLDER / "speed.json") if (FOLDER / "speed.json").is_file() else {}
    lines = [f"{len(seeds)} seeds", f"{'metric':48} {'target':10} {'mean [95%]':28} passed"]
    for metric in dict.fromkeys([*TARGETS, *(key for one in seeds for key in one)]):
        values = [one[metric] for one in seeds if one.get(metric) is not None]
        values = values or ([speed[metric]] if metric in speed else [])
        missing = len(values) < len(seeds) and metric not in speed
        interval = (
            mean_interval(values)
            if values
            else Interval(float("nan"), float("nan"), float("nan"), 0)
        )
        target = TARGETS.get(metric, "")
        passed = (
            judge(metric, target, None if missing or not values else interval.mean).passed
            if target
            else ""
        )
        lines.append(f"{metric:48} {target:10} {interval!s:28} {passed}")
    if (FOLDER / "llm.json").is_file():
        llm = read_json(FOLDER / "llm.json")
        lines += [
            f"llm.{metric:44} {'':10} {value:.3f}" for metric, value in llm["metrics"].items()
        ]
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
