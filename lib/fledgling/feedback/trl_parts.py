"""What TRL's trainers share here: silence, no telemetry, a record for every micro-batch, and a
checkpoint every so many seconds.

Imported only when something is trained: TRL takes seconds to import.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import PrinterCallback, TrainerCallback

from fledgling.core.errors import MissingExtra
from fledgling.core.records import StepRecord
from fledgling.core.runtime import quieten_libraries
from fledgling.feedback.settings import TrainingSection
from fledgling.feedback.stepping import Emit

_LIBRARIES = ("trl", "peft", "transformers", "accelerate", "datasets", "bitsandbytes", "torch")
_SCHEDULES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}


def quieten_trainers() -> None:
    """No bars, advice or warnings from the training libraries, from now on: training may run beside
    a chat, where a switch for a while would be somebody else's switch too.
    """
    quieten_libraries()
    import datasets

    datasets.disable_progress_bars()
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=rf"({'|'.join(_LIBRARIES)})\b")


def import_trainers() -> None:
    """Import what takes seconds, before anybody waits for it."""
    quieten_trainers()
    from trl import DPOTrainer, SFTTrainer

    logging.getLogger(__name__).debug("ready: %s, %s", SFTTrainer, DPOTrainer)


def common_arguments(
    section: TrainingSection, progress: Path, device: torch.device, dtype: torch.dtype, seed: int
) -> dict[str, Any]:
    """The arguments that every TRL trainer takes, from our section."""
    on_cuda = device.type == "cuda"
    checkpointing = {"on": True, "off": False, "auto": on_cuda}[section.gradient_checkpointing]
    return {
        "output_dir": str(progress),
        "num_train_epochs": section.epochs,
        "per_device_train_batch_size": section.batch_size,
        "gradient_accumulation_steps": section.accumulation,
        "learning_rate": section.lr,
        "lr_scheduler_type": _SCHEDULES[section.schedule],
        "warmup_steps": min(section.warmup_share, 0.999),  # from 1 on it would count steps
        "weight_decay": section.weight_decay,
        "max_grad_norm": section.clip_norm,
        "optim": optimizer_name(section.optimizer, device),
        "gradient_checkpointing": checkpointing,
        "bf16": dtype == torch.bfloat16,
        "use_cpu": not on_cuda,
        "seed": seed,
        "data_seed": seed,
        "save_strategy": "no",  # our own callback says when
        "save_total_limit": 2,
        "logging_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": on_cuda,
        "remove_unused_columns": False,
    }


def optimizer_name(wanted: str, device: torch.device) -> str:
    """transformers' name of an optimiser. Raises ``MissingExtra`` where 8 bits are asked for
    without bitsandbytes.
    """
    has_8bit = importlib.util.find_spec("bitsandbytes") is not None
    if wanted == "auto":
        wanted = "paged_adamw_8bit" if has_8bit and device.type == "cuda" else "adamw"
    if "8bit" in wanted and not has_8bit:
        raise MissingExtra("bitsandbytes", "pip install bitsandbytes", f"the optimiser {wanted}")
    return {"adamw": "adamw_torch"}.get(wanted, wanted)


def peak_memory_mb(device: torch.device) -> float:
    """The most memory in use so far, in megabytes: the device's where there is CUDA, else the
    process's.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kilobytes on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


class Reporting:
    """A mixin before a TRL trainer: tells ``emit`` of every micro-batch, and of every update.

    ``emit`` may never come back: it raises where the caller wants no more.
    """

    emit: Emit
    parts: list[float]
    tokens: int

    def watch(self, emit: Emit, checkpoint_seconds: float) -> None:
        """Report to ``emit`` from now on, and keep a checkpoint every so many seconds."""
        self.emit, self.parts, self.tokens = emit, [], 0
        self.started = self.saved = time.perf_counter()
        self.checkpoint_seconds = checkpoint_seconds
        self.remove_callback(PrinterCallback)
        self.add_callback(_Watch(self))

    def _send_telemetry(self) -> None:
        """Nothing leaves this machine."""

    def create_model_card(self, *_: object, **__: object) -> None:
        """A checkpoint needs no card."""

    def training_step(self, model: Any, inputs: dict[str, Any], *rest: Any) -> torch.Tensor:
        begun = time.perf_counter()
        tokens = sum(value.numel() for name, value in inputs.items() if name.endswith("input_ids"))
        loss = super().training_step(model, inputs, *rest)
        self.parts.append(float(loss))
        self.tokens += tokens
        values = {"loss": self.parts[-1], "tokens": tokens, "seconds": time.perf_counter() - begun}
        self.emit(StepRecord(self.state.global_step, "batch", "", values))
        return loss

    def report_update(self) -> bool:
        """Emit the update just made. True when it is time for a checkpoint."""
        seconds = time.perf_counter() - self.started
        values = {
            "loss": sum(self.parts),
            "epoch": float(self.state.epoch or 0.0),
            "of": self.state.max_steps,
            "lr": self.lr_scheduler.get_last_lr()[0],
            "tokens": self.tokens,
            "seconds": seconds,
            "tokens_per_second": self.tokens / seconds,
            "peak_memory_mb": peak_memory_mb(self.args.device),
        }
        self.parts.clear()
        self.emit(StepRecord(self.state.global_step, "update", "", values))
        due = time.perf_counter() - self.saved >= self.checkpoint_seconds
        if due:
            self.saved = time.perf_counter()
        return due


class _Watch(TrainerCallback):
    """Tells the trainer when an update is made: transformers offers no method to override there."""

    def __init__(self, trainer: Reporting) -> None:
        self.trainer = trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_save = self.trainer.report_update()
