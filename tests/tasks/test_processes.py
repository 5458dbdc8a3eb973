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

from fledgling.tasks.processes import Processes

SCRIPT = Path(__file__).with_name("train_in_processes.py")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_two_processes_get_the_losses_of_one(tmp_path: Path) -> None:
    out = tmp_path / "two.json"
    launch = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        str(free_port()),
        str(SCRIPT),
        str(out),
    ]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        launch, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    script = runpy.run_path(str(SCRIPT))
    for way, one, two in zip(
        script["WAYS"], script["train_all"](), json.loads(out.read_text()), strict=True
    ):
        assert (one["processes"], two["processes"]) == (1, 2)
        for key in ("train_loss", "loss"):
            assert two[key] == pytest.approx(one[key], rel=1e-3), (way, key)
        assert two["weights"] == pytest.approx(one["weights"], rel=1e-4), way


def test_one_process_shares_nothing() -> None:
    alone = Processes(torch.device("cpu"))
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    alone.sum_gradients([parameter])
    assert parameter.grad.tolist() == [1.0, 2.0]
    assert alone.share(torch.arange(3)).tolist() == [0, 1, 2] and alone.is_main


def test_rows_are_divided_without_loss() -> None:
    processes = Processes(torch.device("cpu"))
    processes.count = 3
    shares = []
    for rank in range(3):
        processes.rank = rank
        shares += processes.share(torch.arange(8)).tolist()
    assert sorted(shares) == list(range(8))
