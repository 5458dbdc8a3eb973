"""Trains a small study in several ways; test_processes runs it under a launcher and by itself."""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from fledgling.settings import load_config
from fledgling.tasks.study import prepare_study

WAYS = (
    ("alternating", "none", "fixed"),
    ("mixed", "none", "pcgrad"),
    ("mixed", "none", "uncertainty"),
    ("sequential", "ewc", "fixed"),
    ("sequential", "rehearsal", "fixed"),
    ("sequential", "distillation", "fixed"),
)
SMALL = {
    "tasks.data.train_per_skill": 20,
    "tasks.data.held_out_per_skill": 4,
    "tasks.epochs": 2,
    "tasks.updates_per_epoch": 3,
    "tasks.batch_size": 9,
    "tasks.ewc_examples": 4,
    "tasks.graph.hidden": 16,
    "tasks.graph.feed_forward": 16,
    "tasks.graph.heads": 2,
}


def train_all() -> list[dict[str, Any]]:
    """For each way: the number of processes, every epoch's losses, and what was learned. In double
    precision: what is compared is the method, not its rounding.
    """
    torch.set_default_dtype(torch.float64)
    try:
        return _train_all()
    finally:
        torch.set_default_dtype(torch.float32)


def _train_all() -> list[dict[str, Any]]:
    study, seen = prepare_study(load_config(overrides=SMALL).tasks, seed=0), []
    for strategy, remedy, balancing in WAYS:
        trainer = study.changed(strategy=strategy, remedy=remedy, balancing=balancing).trainer()
        records = list(trainer.train())
        seen.append(
            {
                "processes": trainer.processes.count,
                "rank": trainer.processes.rank,
                "losses": [
                    value
                    for record in records
                    for losses in (record.train_loss, record.loss)
                    for value in losses.values()
                ],
                "weights": [float(part.double().sum()) for part in trainer.model.parameters()],
                "variances": [float(part) for part in trainer.log_variances.values()],
            }
        )
    return seen


if __name__ == "__main__":
    torch.set_num_threads(1)
    results = train_all()
    if results[0]["rank"] == 0:
        Path(sys.argv[1]).write_text(json.dumps(results), encoding="utf-8")
