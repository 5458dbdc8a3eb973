"""One fact, told to the real model with the default recipe."""

import pytest
import torch

from fledgling.core.answers import contains
from fledgling.core.records import Turn
from fledgling.core.runtime import Runtime
from fledgling.facts.flow import learn
from fledgling.facts.learner import OnlineLearner, load_gate_readers
from fledgling.facts.placements import BASE
from fledgling.models.loading import load_model
from fledgling.settings import load_config


def said(learner, questions, **options):
    return [reply.text for reply in learner.answer(questions, **options)]


@pytest.mark.model
def test_a_fact_told_once_is_answered_and_its_neighbours_are_not():
    config = load_config()
    loaded = load_model(
        config.models, Runtime(torch.device("cpu"), torch.float32, torch.get_num_threads(), 0)
    )
    learner = OnlineLearner(loaded, config.facts, config.language, readers=load_gate_readers())
    others = ["Where does Tim live?", "What is the capital of France?"]
    before = said(learner, others)
    assert not contains(said(learner, ["Where does Lena live?"])[0], ["Bergen"])
    records = list(learn(learner, [Turn("Lena lives in Bergen.")]))
    updates = [record for record in records if record.event == "update"]
    assert 1 <= len(updates) <= 5 and updates[-1].values["loss"] < 0.1
    assert contains(said(learner, ["Where does Lena live?"])[0], ["Bergen"])
    assert said(learner, others) == before and learner.sources(others) == [BASE, BASE]
    learner.undo()
    assert not contains(said(learner, ["Where does Lena live?"])[0], ["Bergen"])
    learner.close()
