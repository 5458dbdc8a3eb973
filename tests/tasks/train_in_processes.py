"""Trains a small setting in several ways; test_processes runs it under a launcher and by itself."""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from fledgling.settings import load_config
from fledgling.tasks.experiments import prepare_setting

WAYS = (
    ("alternating", "none", "fixed"),
    ("mixed", "none", "pcgrad"),
    ("mixed", "none", "uncertainty"),
    ("sequential", "ewc", "fixed"),
    ("sequential", "rehearsal", "fixed"),
)
SMALL = {
    "tasks.data.train_per_skill": 20,
    "tasks.data.held_out_per_skill": 4,
    "tasks.epochs": 1,
    "tasks.updates_per_epoch": 3,
    "tasks.batch_size": 9,
    "tasks.ewc_examples": 4,
    "tasks.graph.hidden": 16,
    "tasks.graph.feed_forward": 16,
    "tasks.graph.heads": 2,
}


def train_all() -> list[dict[str, Any]]:
    """For each way: the number of processes, the losses, and the sum of all absolute weights."""
    setting, seen = prepare_setting(load_config(overrides=SMALL).tasks, seed=0), []
    for strategy, remedy, balancing in WAYS:
        trainer = setting.trainer(strategy=strategy, remedy=remedy, balancing=balancing)
        last = list(trainer.train())[-1].values
        seen.append(
            {
                "processes": trainer.processes.count,
                "main": trainer.processes.is_main,
                "train_loss": last["train_loss"],
                "loss": last["loss"],
                "weights": sum(
                    float(one.detach().double().abs().sum()) for one in trainer.model.parameters()
                ),
            }
        )
    return seen


if __name__ == "__main__":
    torch.set_num_threads(1)
    results = train_all()
    if results[0]["main"]:
        Path(sys.argv[1]).write_text(json.dumps(results), encoding="utf-8")
