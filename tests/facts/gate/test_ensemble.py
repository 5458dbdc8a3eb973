"""The gate's reader on the packaged encoder."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fledgling.core.errors import ModelError
from fledgling.facts.gate.ensemble import MADE_BY, SCORERS, Ensemble, load_scorers
from fledgling.models.pair_scorer import load_pair_scorer

pytestmark = pytest.mark.model
TOLD = "Lena lives in Oslo."


def test_what_is_asked_for_scores_high_and_what_is_not_low():
    ensemble, scorer = load_scorers(), load_pair_scorer(SCORERS / "0.safetensors", MADE_BY)
    pairs = [
        (TOLD, "Where does Lena live?"),
        (TOLD, "Where does Tom live?"),
        (TOLD, "What does Lena play?"),
        (TOLD, "What is the capital of France?"),
    ]
    together = ensemble.score(pairs)
    assert together[0] > 0.5 and (together[1:] < 0.5).all() and ensemble.score([]).shape == (0,)
    scores = scorer.score(pairs)
    alone = [float(scorer.score([pair])[0]) for pair in pairs]
    assert scores.tolist() == pytest.approx(alone, abs=1e-3)
    assert scorer.score(pairs, batch_size=1).tolist() == pytest.approx(alone, abs=1e-4)
    assert scorer.score([]).shape == (0,)


def test_an_ensemble_is_the_mean_of_its_members_logits():
    ensemble = load_scorers()
    pairs = [
        (TOLD, "Where does Lena live?"),
        (TOLD, "Which city is Lena's home?"),
        (TOLD, "Who is Lena?"),
    ]
    logits = [
        torch.logit(torch.tensor(member.score(pairs)).double()) for member in ensemble.members
    ]
    expected = torch.sigmoid(torch.stack(logits).mean(0))
    assert len(ensemble.members) >= 2
    assert ensemble.score(pairs).tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_pair_is_read_once_and_the_oldest_scores_go(monkeypatch):
    class Counting:
        read = ()

        def score(self, pairs):
            Counting.read += tuple(pairs)
            return np.full(len(pairs), 0.7, np.float32)

    monkeypatch.setattr("fledgling.facts.gate.ensemble.REMEMBERED", 2)
    ensemble = Ensemble((Counting(),))
    assert ensemble.score([("a", "?"), ("b", "?"), ("a", "?")]).tolist() == pytest.approx([0.7] * 3)
    assert Counting.read == (("a", "?"), ("b", "?"))
    ensemble.score([("a", "?"), ("c", "?")])  # "b" is the oldest now
    ensemble.score([("a", "?"), ("b", "?")])
    assert Counting.read == (("a", "?"), ("b", "?"), ("c", "?"), ("b", "?"))


def test_a_missing_damaged_or_foreign_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="train one"):
        load_scorers(tmp_path)
    with pytest.raises(ModelError, match="restore it"):
        load_pair_scorer(tmp_path / "none.safetensors", MADE_BY)
    (tmp_path / "bad.safetensors").write_bytes((SCORERS / "0.safetensors").read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be read"):
        load_pair_scorer(tmp_path / "bad.safetensors", MADE_BY)
    save_file(
        {"wings.lora_A": torch.ones(2, 2), "wings.lora_B": torch.ones(2, 2)},
        tmp_path / "other.safetensors",
    )
    with pytest.raises(ModelError, match="does not fit"):
        load_pair_scorer(tmp_path / "other.safetensors", MADE_BY)
