"""Two processes on the CPU (gloo on loopback) train as one process with the same global batch
does.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fledgling.core.errors import ConfigError
from fledgling.core.run_store import read_steps
from fledgling.tasks.processes import Processes
from fledgling.tasks.study import Study

SCRIPT = Path(__file__).with_name("train_in_processes.py")
TO_1E4 = {"rel": 0.0, "abs": 1e-4}


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def launch(*command: str) -> None:
    """Run a launcher to its end, on the processor and on loopback."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_two_processes_get_the_losses_of_one(tmp_path: Path) -> None:
    launch(
        *("torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1"),
        *("--master-port", free_port(), str(SCRIPT), str(tmp_path / "two.json")),
    )
    script = runpy.run_path(str(SCRIPT))
    two_processes = json.loads((tmp_path / "two.json").read_text())
    for way, one, two in zip(script["WAYS"], script["train_all"](), two_processes, strict=True):
        assert (one["processes"], two["processes"]) == (1, 2)
        for key in ("losses", "variances"):
            assert two[key] == pytest.approx(one[key], **TO_1E4), (way, key)
        assert two["weights"] == pytest.approx(one["weights"], rel=1e-3, abs=1e-2), way


def test_the_command_trains_and_saves_the_same_on_two(tmp_path: Path, small: dict) -> None:
    options = [word for key, value in small.items() for word in ("--set", f"{key}={value}")]
    command = ["fledgling", "tasks", "train", *options]
    launch(*command, str(tmp_path / "one"))
    launch(
        *("torch.distributed.run", "--nproc-per-node", "2", "--master-port", free_port(), "-m"),
        *(*command, str(tmp_path / "two")),
    )
    one, two = (read_steps(tmp_path / name) for name in ("one", "two"))
    assert len(one) == len(two) == small["tasks.epochs"]
    for first, second in zip(one, two, strict=True):
        for key in ("train_loss", "loss"):
            assert second[key] == pytest.approx(first[key], **TO_1E4)
    assert (tmp_path / "two" / "model.safetensors").is_file()


def test_one_process_shares_nothing() -> None:
    alone = Processes(torch.device("cpu"))
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    alone.sum_gradients([parameter])
    assert parameter.grad.tolist() == [1.0, 2.0]
    assert alone.share(torch.arange(3)).tolist() == [0, 1, 2] and alone.rank == 0


def test_rows_are_divided_without_loss() -> None:
    processes = Processes(torch.device("cpu"))
    processes.count = 3
    shares = []
    for rank in range(3):
        processes.rank = rank
        shares += processes.share(torch.arange(8)).tolist()
    assert sorted(shares) == list(range(8))


def test_every_process_needs_a_row(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def three(self: Processes, device: torch.device) -> None:
        self.count, self.rank, self.device = 3, 0, device

    monkeypatch.setattr(Processes, "__init__", three)
    with pytest.raises(ConfigError, match="2 rows of a task for 3 processes"):
        study.changed(strategy="mixed", batch_size=4).trainer()
