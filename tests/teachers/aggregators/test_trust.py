"""Trust on made-up votes: it must find the good teacher, discount echoes, and stay calibrated."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from fledgling.core.errors import DataError
from fledgling.core.paths import ROOT
from fledgling.settings import load_config
from fledgling.teachers.aggregators.trust import (
    AGAINST,
    effective_teachers,
    error_correlation,
    fit_trust,
    fit_trust_from_groups,
    prior_weights,
    votes_for,
    wrong_together,
)
from fledgling.teachers.aggregators.trust_trials import (
    accuracy,
    best_single,
    dawid_skene,
    majority_vote,
    summarise,
    trust_trials,
)
from fledgling.teachers.votes import load_preferences

SECTION = load_config().teachers
NAMES = ("good", "echo_1", "echo_2", "echo_3")


def crowd(questions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One teacher right 9 times in 10, three that copy one source which is right 4 times in 10."""
    random = np.random.default_rng(seed)
    truth = random.choice([-1.0, 1.0], questions)
    good = np.where(random.random(questions) < 0.9, truth, -truth)
    source = np.where(random.random(questions) < 0.4, truth, -truth)
    echoes = [np.where(random.random(questions) < 0.95, source, -source) for _ in range(3)]
    return np.stack([good, *echoes], axis=1), truth


def test_echoes_do_not_outvote_the_good_teacher() -> None:
    votes, truth = crowd(400, 1)
    trust = fit_trust(votes[:20], truth[:20], NAMES, SECTION.trust, all_votes=votes)
    choice, _ = trust.choose(votes[20:])
    assert accuracy(choice, truth[20:]) > 0.85
    assert accuracy(majority_vote(votes), truth) < 0.5
    assert (
        accuracy(dawid_skene(votes), truth) < 0.6
    )  # believes the echoes: that is why gold labels are needed
    assert best_single(votes, truth) == [0]


def test_the_loss_is_the_documented_one() -> None:
    """The fit is where the gradient of -log posterior, written out a second time, vanishes."""
    votes, truth = crowd(30, 2)
    trust = fit_trust(votes, truth, NAMES, SECTION.trust)
    evidence = votes / trust.scales * truth[:, None]
    prior = prior_weights(votes, SECTION.trust)
    gradient = (trust.weights - prior) / SECTION.trust.prior_spread**2 - evidence.T @ expit(
        -evidence @ trust.weights
    )
    assert np.abs(gradient).max() < 1e-3


def test_swapping_the_candidates_swaps_the_probability() -> None:
    votes, truth = crowd(50, 3)
    trust = fit_trust(votes, truth, NAMES, SECTION.trust)
    assert trust.probability(-votes) == pytest.approx(1 - trust.probability(votes))


def test_without_gold_the_steadier_teacher_leads() -> None:
    votes = np.array([[1.0, 0.2], [-1.0, 0.0], [1.0, -0.2]])
    trust = fit_trust(
        np.zeros((0, 2)), np.zeros(0), ("steady", "wavering"), SECTION.trust, all_votes=votes
    )
    assert trust.weights[0] > trust.weights[1] > 0


def test_open_questions_become_votes_on_camps() -> None:
    assert votes_for([0, 1, -1], 1).tolist() == [-1.0, 1.0, 0.0]
    groups = [[0, 1, 1]] * 30
    right = [[True, False, False]] * 30
    trust = fit_trust_from_groups(groups, right, ("a", "b", "c"), SECTION.trust)
    assert trust.probability(votes_for([0, 1, 1, AGAINST], 0))[0] > 0.8
    assert trust.probability(votes_for([0, 1, 1, AGAINST], 1))[0] < 0.2


def test_unanimity_is_worth_as_much_as_it_was_right() -> None:
    """Three teachers that always agree, and are right every second time."""
    alike = [[0, 0, 0]] * 40
    trust = fit_trust_from_groups(
        alike, [[True] * 3, [False] * 3] * 20, ("a", "b", "c"), SECTION.trust
    )
    assert 0.4 < trust.probability(votes_for([0, 0, 0, AGAINST], 0))[0] < 0.6
    always = fit_trust_from_groups(alike, [[True] * 3] * 40, ("a", "b", "c"), SECTION.trust)
    assert always.probability(votes_for([0, 0, 0, AGAINST], 0))[0] > 0.95


def test_correlated_errors_are_worth_fewer_teachers() -> None:
    votes, truth = crowd(2000, 4)
    correlation = error_correlation(votes, truth)
    assert correlation[1, 2] > 0.7 > abs(correlation[0, 1]) + 0.5
    assert effective_teachers(correlation[1:, 1:]) < 1.5
    assert effective_teachers(np.eye(4)) == 4.0


def test_agreement_in_error_is_flagged() -> None:
    votes, truth = crowd(400, 5)
    trust = fit_trust(votes[:40], truth[:40], NAMES, SECTION.trust, all_votes=votes)
    flagged = wrong_together(votes, trust, agreement=0.7, floor=SECTION.trust.unanimity_floor)
    majority_wrong = majority_vote(votes) == -truth
    agreeing = np.abs(votes.sum(axis=1)) >= 2
    assert flagged[agreeing & majority_wrong].mean() > 0.8
    assert not wrong_together(votes, trust, agreement=0.7, floor=0.0).any()
    assert (wrong_together(votes, trust, agreement=0.7, floor=1.1) == agreeing).all()


@pytest.mark.parametrize(
    ("votes", "truth", "said"),
    [
        (np.ones((2, 3)), np.ones(2), "must be"),
        (np.ones((2, 4)), np.array([1.0, 0.0]), "truth must hold"),
    ],
)
def test_misfits_are_named(votes: np.ndarray, truth: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        fit_trust(votes, truth, NAMES, SECTION.trust)


def test_trials_judge_on_the_rest_only() -> None:
    votes, truth = crowd(120, 6)
    trials = list(trust_trials(votes, truth, NAMES, SECTION, labels=20, draws=5))
    assert all(len(trial.rest) == 100 and not set(trial.gold) & set(trial.rest) for trial in trials)
    summary = summarise(trials, bins=10)
    assert summary["accuracy"] > 0.8 > summary["majority"]
    assert summary["ece_floor"] > 0
    with pytest.raises(DataError, match="leave nothing"):
        list(trust_trials(votes, truth, NAMES, SECTION, labels=120, draws=1))


BENCH = Path(os.environ.get("FLEDGLING_BENCH", ROOT.parent / "shared" / "bench"))


@pytest.mark.skipif(
    not (BENCH / "llmbar_dev_votes.csv.gz").is_file(), reason="needs votes in LLMBar's layout"
)
def test_real_votes_meet_the_bars() -> None:
    pool = load_preferences(BENCH / "llmbar_dev_items.jsonl.gz", BENCH / "llmbar_dev_votes.csv.gz")
    trials = trust_trials(
        pool.votes,
        pool.truth,
        pool.teachers,
        SECTION,
        labels=20,
        draws=15,
        watched=pool.subsets == "Neighbor",
    )
    summary = summarise(list(trials), bins=10)
    assert summary["accuracy"] >= summary["best_single"]
    assert summary["ece"] <= 0.05 and summary["coverage"] >= 0.5
    assert summary["flagged_wrong"] > 0.5 > summary["flagged_right"]
