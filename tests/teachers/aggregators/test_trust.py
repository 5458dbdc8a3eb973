"""Trust on made-up votes: it must find the good teacher, discount echoes, and stay calibrated."""

import inspect
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
    votes_for,
    wrong_together,
)
from fledgling.teachers.aggregators.trust_trials import (
    TrustTrial,
    accuracy,
    best_single,
    dawid_skene,
    gain_interval,
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
    trust = fit_trust(votes[:20], truth[:20], NAMES, SECTION.trust)
    choice, _ = trust.choose(votes[20:])
    assert accuracy(choice, truth[20:]) > 0.85
    assert accuracy(majority_vote(votes), truth) < 0.5
    assert (
        accuracy(dawid_skene(votes), truth) < 0.6
    )  # believes the echoes: that is why gold labels are needed
    assert best_single(votes, truth) == [0]


def test_the_loss_is_the_documented_one() -> None:
    """The fit is where the gradient of -log posterior, written out a second time, vanishes, and its
    spread is the inverse of the curvature there, by differences.
    """
    votes, truth = crowd(30, 2)
    trust = fit_trust(votes, truth, NAMES, SECTION.trust)
    evidence = votes / trust.scales * truth[:, None]
    prior, precision = SECTION.trust.head_start, SECTION.trust.prior_spread**-2

    def gradient(weights: np.ndarray) -> np.ndarray:
        return (weights - prior) * precision - evidence.T @ expit(-evidence @ weights)

    assert np.abs(gradient(trust.weights)).max() < 1e-3
    step = 1e-5
    curvature = [
        (gradient(trust.weights + step * unit) - gradient(trust.weights - step * unit)) / (2 * step)
        for unit in np.eye(4)
    ]
    assert np.linalg.inv(curvature) == pytest.approx(trust.covariance, rel=1e-3)


def test_the_chance_is_the_mean_over_the_posterior() -> None:
    """Against sampling: what the weights leave open, the confidence leaves open too."""
    votes, truth = crowd(12, 7)
    plain = SECTION.trust.model_copy(update={"sharpness": 1.0})
    trust = fit_trust(votes, truth, NAMES, plain)
    drawn = np.random.default_rng(0).multivariate_normal(trust.weights, trust.covariance, 20_000)
    sampled = expit(votes / trust.scales @ drawn.T).mean(axis=1)
    assert trust.probability(votes) == pytest.approx(sampled, abs=0.02)
    certain = expit(votes / trust.scales @ trust.weights)
    assert (np.abs(trust.probability(votes) - 0.5) < np.abs(certain - 0.5)).all()


def test_only_gold_votes_enter_the_fit() -> None:
    """The signature has no place for the votes to be decided: a stream does not know them."""
    votes, truth = crowd(200, 8)
    parameters = set(inspect.signature(fit_trust).parameters)
    assert parameters == {"votes", "truth", "teachers", "section"}
    scrambled = votes.copy()
    scrambled[20:] = np.random.default_rng(0).choice([-1.0, 1.0], scrambled[20:].shape)
    fits = [fit_trust(given[:20], truth[:20], NAMES, SECTION.trust) for given in (votes, scrambled)]
    assert (fits[0].weights == fits[1].weights).all() and (fits[0].levels == fits[1].levels).all()


def test_levels_are_measured_on_gold_left_out_of_the_fit() -> None:
    """Teachers that toss coins: a fit to 20 labels looks good on them, held out it does not."""
    random = np.random.default_rng(3)
    levels, model, fitted = [], [], []
    for _ in range(12):
        votes = random.choice([-1.0, 1.0], (20, 6))
        truth = random.choice([-1.0, 1.0], 20)
        trust = fit_trust(votes, truth, tuple("abcdef"), SECTION.trust)
        fitted.append(accuracy(trust.choose(votes)[0], truth))
        others = random.choice([-1.0, 1.0], (50, 6))
        chance = trust.probability(others)
        model.append(np.maximum(chance, 1 - chance).mean())
        levels.append(trust.choose(others)[1].mean())
    assert np.mean(fitted) > 0.7  # on its own labels
    # Half would be right of others. The gold left out says so, and pulls as hard as it may:
    # twenty labels against the model's own twenty.
    assert np.mean(levels) - 0.5 < 0.7 * (np.mean(model) - 0.5)


def test_levels_grow_with_the_labels_and_never_fall() -> None:
    votes, truth = crowd(400, 9)
    fine = SECTION.trust.model_copy(update={"levels": 5, "level_gap": 0.0})
    counts = [len(fit_trust(votes[:n], truth[:n], NAMES, fine).levels) for n in (5, 20, 400)]
    assert counts == [0, 2, 5]
    levels = fit_trust(votes, truth, NAMES, fine).levels
    assert (np.diff(levels) >= 0).all()
    coarse = fine.model_copy(update={"level_gap": 0.9})
    assert len(fit_trust(votes, truth, NAMES, coarse).levels) == 1


def test_swapping_the_candidates_swaps_the_probability() -> None:
    votes, truth = crowd(50, 3)
    trust = fit_trust(votes, truth, NAMES, SECTION.trust)
    assert trust.probability(-votes) == pytest.approx(1 - trust.probability(votes))


def test_without_gold_the_prior_speaks_alone() -> None:
    trust = fit_trust(np.zeros((0, 2)), np.zeros(0), ("a", "b"), SECTION.trust)
    assert trust.weights == pytest.approx([SECTION.trust.head_start] * 2)
    choice, sure = trust.choose(np.array([[1.0, 1.0], [-1.0, -1.0]]))
    assert choice.tolist() == [1.0, -1.0] and (sure > 0.5).all() and (sure < 0.6).all()


def test_open_questions_become_votes_on_camps() -> None:
    assert votes_for([0, 1, -1], 1).tolist() == [-1.0, 1.0, 0.0]
    groups = [[0, 1, 1]] * 30
    right = [[True, False, False]] * 30
    trust = fit_trust_from_groups(groups, right, ("a", "b", "c"), SECTION.trust)
    assert trust.probability(votes_for([0, 1, 1, AGAINST], 0))[0] > 0.8
    assert trust.probability(votes_for([0, 1, 1, AGAINST], 1))[0] < 0.2


@pytest.mark.parametrize(("right", "low", "high"), [(0.5, 0.4, 0.6), (0.8, 0.7, 0.87), (1, 0.9, 1)])
def test_unanimity_is_worth_as_much_as_it_was_right(right: float, low: float, high: float) -> None:
    """Three teachers that always agree."""
    count = 40
    correct = [[True] * 3] * round(count * right) + [[False] * 3] * round(count * (1 - right))
    trust = fit_trust_from_groups([[0, 0, 0]] * count, correct, ("a", "b", "c"), SECTION.trust)
    chance = trust.probability(votes_for([0, 0, 0, AGAINST], 0))
    assert low < trust.level(chance)[0] < high


def test_correlated_errors_are_worth_fewer_teachers() -> None:
    votes, truth = crowd(2000, 4)
    correlation = error_correlation(votes, truth)
    assert correlation[1, 2] > 0.7 > abs(correlation[0, 1]) + 0.5
    assert effective_teachers(correlation[1:, 1:]) < 1.5
    assert effective_teachers(np.eye(4)) == 4.0


def test_agreement_in_error_is_flagged() -> None:
    votes, truth = crowd(400, 5)
    trust = fit_trust(votes[:40], truth[:40], NAMES, SECTION.trust)
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


NEEDS_VOTES = pytest.mark.skipif(
    not (BENCH / "llmbar_dev_votes.csv.gz").is_file(), reason="needs votes in LLMBar's layout"
)
DRAWS = 100
ONE_PROMPT = ("Vanilla_NoRules",)


def real_trials(prompts: tuple[str, ...]) -> list[TrustTrial]:
    pool = load_preferences(
        BENCH / "llmbar_dev_items.jsonl.gz", BENCH / "llmbar_dev_votes.csv.gz", prompts=prompts
    )
    return list(trust_trials(pool.votes, pool.truth, pool.teachers, SECTION, draws=DRAWS))


@NEEDS_VOTES
@pytest.mark.parametrize("prompts", [(), ONE_PROMPT])
def test_real_votes_are_decided_as_well_as_by_the_best_judge(prompts: tuple[str, ...]) -> None:
    assert gain_interval(real_trials(prompts)).high >= 0  # within its interval


@NEEDS_VOTES
@pytest.mark.parametrize(
    "prompts",
    [
        (),
        pytest.param(
            ONE_PROMPT, marks=pytest.mark.xfail(strict=True, reason="misses its bound: .067")
        ),
    ],
)
def test_real_votes_are_as_sure_as_they_are_right(prompts: tuple[str, ...]) -> None:
    assert summarise(real_trials(prompts), bins=SECTION.trust.bins)["ece"] <= 0.06
