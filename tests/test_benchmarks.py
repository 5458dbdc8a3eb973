"""Benchmarks run seldom: at least they go with the library as it is."""

import importlib
import sys

import pytest

from fledgling.core.paths import ROOT

BENCHMARKS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_finds_what_it_imports(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = importlib.import_module(name)
    assert module.__doc__
    sys.modules.pop(name, None)
