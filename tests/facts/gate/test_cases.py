"""The hard questions for the gate: of four kinds, and about nothing that trained it."""

import pytest

from fledgling.core.errors import DataError
from fledgling.facts.gate import cases as module
from fledgling.facts.gate.cases import OPENING, gate_cases
from fledgling.facts.measuring.streams import everyday, tuning


def test_every_kind_is_asked_often_enough():
    kinds = [case.kind for case in gate_cases()]
    assert all(kinds.count(kind) >= 15 for kind in OPENING)


def test_no_statement_or_question_is_one_of_the_streams():
    cases = gate_cases()
    ours = {case.turn for case in cases} | {case.question for case in cases}
    theirs = {fact.turn.text for fact in [*tuning(), *everyday()]}
    theirs |= {probe.question for fact in [*tuning(), *everyday()] for probe in fact.probes}
    assert len(ours) > 90 and not ours & theirs


def test_a_kind_it_does_not_know_is_refused(tmp_path, monkeypatch):
    (tmp_path / "facts" / "gate").mkdir(parents=True)
    (tmp_path / "facts" / "gate" / "cases.jsonl").write_text(
        '{"turn": "Al sings.", "cases": [{"kind": "riddle", "question": "Who?"}]}\n'
    )
    monkeypatch.setattr(module, "DATA", tmp_path)
    with pytest.raises(DataError, match="line 1: kind 'riddle' is none of alias"):
        gate_cases()
