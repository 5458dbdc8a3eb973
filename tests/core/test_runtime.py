import logging
import random

import numpy as np
import pytest
import torch

from fledgling.core import runtime
from fledgling.core.errors import ConfigError


@pytest.fixture(autouse=True)
def keep_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_the_same_seed_draws_the_same_everywhere():
    runtime.seed_everything(7)
    first = draws()
    runtime.seed_everything(7)
    assert draws() == first
    runtime.seed_everything(8)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


def test_threads_come_from_the_argument_then_the_environment(monkeypatch):
    monkeypatch.setenv("FLEDGLING_THREADS", "1")
    assert runtime.start(device="cpu").threads == torch.get_num_threads() == 1
    assert runtime.start(device="cpu", threads=2).threads == torch.get_num_threads() == 2


def test_auto_takes_bfloat16_only_where_the_cpu_multiplies_it(monkeypatch):
    cpu = torch.device("cpu")
    for has_it, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(runtime, "cpu_has_bfloat16", lambda has_it=has_it: has_it)
        assert runtime.resolve_dtype("auto", cpu) == expected
    assert runtime.resolve_dtype("float32", cpu) == torch.float32


def test_cuda_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="use 'auto' or 'cpu'"):
        runtime.resolve_device("cuda")
    assert runtime.resolve_device("auto").type == "cpu"


def test_the_environment_of_a_run_is_plain_json():
    described = runtime.Runtime(torch.device("cpu"), torch.bfloat16, 2, 0).describe()
    assert described | {"torch": "", "python": ""} == {
        "python": "",
        "torch": "",
        "device": "cpu",
        "dtype": "bfloat16",
        "threads": 2,
    }
    assert "+" not in described["torch"]


def test_the_log_rotates(tmp_path):
    path = tmp_path / "logs" / "fledgling.log"
    logger = logging.getLogger("fledgling")
    before = list(logger.handlers)
    runtime.log_to_file(path, max_bytes=500, backups=1)
    try:
        for number in range(50):
            logging.getLogger("fledgling.test").info("line %d", number)
        assert "line 49" in path.read_text(encoding="utf-8")
        assert sorted(file.name for file in path.parent.iterdir()) == [
            "fledgling.log",
            "fledgling.log.1",
        ]
        assert all(file.stat().st_size <= 500 for file in path.parent.iterdir())
    finally:
        for handler in set(logger.handlers) - set(before):
            logger.removeHandler(handler)
            handler.close()
