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


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("peers")
    for name in ("peers", "contestants", "peer_learners"):
        sys.modules.pop(name, None)


def reached(peers, name, recall, near_miss, seconds):
    shares = {"direct": recall, "rephrased": recall, "reverse": recall, "near_miss": near_miss}
    return peers.Result(name, seconds=seconds, **shares)


def test_more_recall_bought_with_near_misses_is_not_ahead(peers):
    own = [reached(peers, "default", 0.9, 0.1, 2.0)]
    others = [reached(peers, "careful", 0.5, 0.0, 1.0), reached(peers, "careless", 0.8, 0.1, 3.0)]
    recall, seconds, behind, failed = peers.verdict(own, others).splitlines()
    assert recall == "Ahead on recall at no more near misses: default of careless."
    assert seconds == "Ahead on seconds a fact: default of careless."
    assert behind == (
        "Not ahead: default of careful on recall"
        " (0.90 at near_miss 0.10 against 0.50 at near_miss 0.00);"
        " default of careful on seconds a fact (2.00 s against 1.00 s)."
    )
    assert failed == "Did not run: none."


def test_what_could_not_run_is_named_with_its_error(peers):
    own = [reached(peers, "default", 0.9, 0.0, 2.0)]
    error = peers.what_failed("grace", "ModuleNotFoundError: No module named 'easyeditor'\n", 1)
    said = peers.verdict(own, [peers.Result("grace", error=error)])
    assert said.count(": none.") == 3
    assert "grace, ModuleNotFoundError: No module named 'easyeditor' (git clone" in said
    assert peers.what_failed("trl", "", -9) == "ended with -9, without a word"
