"""Processes that end together, and the cores they share."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

import psutil

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def available_cores() -> int:
    """The CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """Have this process sent a signal when process ``parent``, which started it, ends in any way,
    ``kill -9`` included. Only Linux has this; elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), number)


def end_descendants(process_id: int, *, itself: bool = True) -> None:
    """Kill everything that a process started, and the process ``itself``."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(process_id)
        for process in [*root.children(recursive=True), *([root] if itself else [])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
