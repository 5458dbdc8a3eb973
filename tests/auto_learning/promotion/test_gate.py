import random

import pytest

from fledgling.auto_learning.promotion.betting import Past
from fledgling.auto_learning.promotion.evidence import (
    Before,
    Evidence,
    EvidenceRow,
    collect_rows,
    start_from,
)
from fledgling.auto_learning.promotion.gate import HOLD, INVALID, PROMOTE, ROLL_BACK, decide
from fledgling.core.layers import override

BEFORE = Before(Past(0.8, 0.1, 50.0), Past(0.9, 0.09, 50.0), Past(0.0, 0.01, 50.0), 60.0)


def evidence(
    tasks, *, champion=0.9, challenger=0.9, share=0.5, seconds=30.0, quality=4.0, seed=0, lost=0.0
):
    """Rows by chance; ``seconds`` and ``quality`` are the challenger's, ``lost`` the share of its
    outcomes that are not in the evidence at all.
    """
    draw, rows = random.Random(seed), []
    while len(rows) < tasks:
        ours = draw.random() < share
        done = draw.random() < (challenger if ours else champion)
        if ours and draw.random() < lost:
            continue
        rows.append(
            EvidenceRow(
                f"task-{len(rows)}",
                "challenger" if ours else "champion",
                share,
                draw.choice(["billing", "login"]),
                done,
                (quality if ours else 4.0) if done else 1.0,
                seconds if ours else 30.0,
            )
        )
    return Evidence(tuple(rows))


def test_without_evidence_it_holds_at_the_canarys_share(section):
    found = decide(Evidence(()), BEFORE, section)
    assert (found.verdict, found.next_share) == (HOLD, section.gate.canary_share)
    assert not found.closes


def test_it_widens_after_the_canary(section):
    few = evidence(section.gate.canary_tasks - 1, share=0.1)
    enough = evidence(section.gate.canary_tasks, share=0.1)
    assert decide(few, BEFORE, section).next_share == section.gate.canary_share
    assert decide(enough, BEFORE, section).next_share == section.gate.decide_share


def test_a_better_challenger_is_promoted(section):
    found = decide(evidence(800, champion=0.8, challenger=0.95), BEFORE, section)
    assert found.verdict == PROMOTE and found.closes and found.next_share == 1.0
    assert 0.0 <= found.numbers["low"] < found.numbers["high"]
    assert "better" in found.reason


def test_never_before_each_variant_has_done_enough(section):
    shown = evidence(150, champion=0.2, challenger=1.0)
    assert decide(shown, BEFORE, section).verdict == HOLD
    small = override(section, {"gate.tasks_per_variant": 20})
    assert decide(shown, BEFORE, small).verdict == PROMOTE


def test_a_worse_challenger_is_rolled_back_even_in_the_canary(section):
    found = decide(evidence(600, challenger=0.5, share=0.1), BEFORE, section)
    assert found.verdict == ROLL_BACK and found.closes and found.next_share == 0.0


def test_an_equal_one_is_held_and_at_the_horizon_the_champion_stays(section):
    equal = evidence(400)
    assert decide(equal, BEFORE, section).verdict == HOLD
    short = override(section, {"gate.horizon": 400})
    found = decide(equal, BEFORE, short)
    assert (found.verdict, found.closes, found.next_share) == (HOLD, True, 0.0)
    assert "champion stays" in found.reason


def test_a_slower_challenger_is_rolled_back_though_it_completes_more(section):
    found = decide(
        evidence(400, champion=0.8, challenger=0.99, seconds=BEFORE.slow_seconds + 1),
        BEFORE,
        section,
    )
    assert found.verdict == ROLL_BACK and "slow" in found.reason


def test_quality_does_not_pay_for_tasks_that_are_not_completed(section):
    """Better rated but completing far less: the score says better, the guardrail forbids it."""
    some = override(section, {"score.completion": 0.0})
    shown = evidence(3000, champion=0.9, challenger=0.78, quality=5.0)
    found = decide(shown, BEFORE, some)
    assert found.numbers["gain"] > 3.2
    assert found.verdict == ROLL_BACK and "completes fewer" in found.reason


def test_a_skewed_assignment_is_invalid_whatever_it_shows(section):
    found = decide(evidence(3000, champion=0.5, challenger=1.0, lost=0.3), BEFORE, section)
    assert found.verdict == INVALID and found.closes and "skewed" in found.reason


def test_what_is_broken_is_invalid(section):
    found = decide(evidence(10), BEFORE, section, broken="its file is gone")
    assert (found.verdict, found.reason, found.closes) == (INVALID, "its file is gone", True)


def test_a_task_without_an_outcome_is_a_failure_and_slow(section):
    rows = (EvidenceRow("a", "challenger", 0.5, "x", False, None, None),)
    shown = Evidence(rows)
    assert shown.scores(section.score, section.rules).tolist() == [0.0]
    assert (shown.seconds > 1e9).all()
    assert decide(shown, BEFORE, section).numbers["challenger"]["seconds"] is None


def test_the_same_evidence_gives_the_same_finding_and_the_hash_tells_another(section):
    shown = evidence(300)
    again = collect_rows([vars(row) for row in shown.rows])
    assert decide(shown, BEFORE, section) == decide(again, BEFORE, section)
    assert again.fingerprint() == shown.fingerprint()
    assert evidence(300, seed=1).fingerprint() != shown.fingerprint()


def test_the_past_sets_what_is_slow_and_survives_json(section):
    import numpy as np

    found = start_from(
        np.array([0.9, 0.7]),
        np.array([1.0, 1.0]),
        np.array([10.0, 20.0]),
        section.betting,
        slow_factor=2.0,
        longest_s=600.0,
    )
    assert found.slow_seconds == pytest.approx(2.0 * 19.5)
    assert found.score.tasks == section.betting.past_tasks + 2
    assert Before.from_json(found.to_json()) == found
    nothing = np.array([])
    unknown = start_from(
        nothing, nothing, nothing, section.betting, slow_factor=2.0, longest_s=600.0
    )
    assert unknown.slow_seconds == 600.0
    assert unknown.score.mean == pytest.approx(section.betting.past_mean)
