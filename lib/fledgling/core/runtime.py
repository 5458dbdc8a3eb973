"""Seed, device, dtype, threads and logging: set once, at the start of a run."""

from __future__ import annotations

import logging
import os
import platform
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fledgling.core.errors import ConfigError
from fledgling.core.processes import available_cores


@dataclass(frozen=True)
class Runtime:
    """The resolved machine: where tensors live and how wide they are."""

    device: torch.device
    dtype: torch.dtype
    threads: int
    seed: int

    def describe(self) -> dict[str, Any]:
        """The ``environment`` of results.json."""
        return {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "device": self.device.type,
            "dtype": str(self.dtype).removeprefix("torch."),
            "threads": self.threads,
        }


def cpu_has_bfloat16() -> bool:
    """True where the CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX); elsewhere float32 is
    faster.
    """
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(
        capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16")
    )


def resolve_device(name: str) -> torch.device:
    """``auto``, ``cpu`` or ``cuda`` → a device. Raises ``ConfigError`` when CUDA is asked for and
    absent.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "runtime.device is 'cuda' but no CUDA device is visible; use 'auto' or 'cpu'"
        )
    return torch.device(name)


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """``auto``, ``float32`` or ``bfloat16`` → a dtype; ``auto`` is bfloat16 where the hardware
    multiplies it.
    """
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if cpu_has_bfloat16() else torch.float32


def start(*, device: str = "auto", dtype: str = "auto", threads: int = 0, seed: int = 0) -> Runtime:
    """Seed everything, set the thread count (0: all cores the process may use) and quieten the
    libraries.
    """
    seed_everything(seed)
    quieten_libraries()
    wanted = threads or int(os.environ.get("FLEDGLING_THREADS", "0")) or available_cores()
    torch.set_num_threads(wanted)
    where = resolve_device(device)
    return Runtime(where, resolve_dtype(dtype, where), wanted, seed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: what is summed then does not depend on how many there are."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def quieten_libraries() -> None:
    """No progress bars and no advice from the model libraries: notebook outputs stay comparable."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)


class _Redacting(logging.Formatter):
    """Rewrites whole lines, tracebacks included: what a message quotes is not known beforehand."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def log_to_file(
    path: Path,
    *,
    level: int = logging.INFO,
    max_bytes: int = 1_000_000,
    backups: int = 3,
    redact: Callable[[str], str] = str,
) -> None:
    """Send the library's log to a rotating file of at most ``max_bytes`` bytes, keeping ``backups``
    old ones. ``redact`` takes out of each line what must not leave the process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", errors="replace"
    )
    handler.setFormatter(_Redacting(redact))
    logger = logging.getLogger("fledgling")
    logger.setLevel(level)
    logger.addHandler(handler)
