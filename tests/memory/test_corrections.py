import pytest

from fledgling.core.errors import DataError
from fledgling.core.layers import override
from fledgling.memory.corrections import CorrectionMemory
from fledgling.models.tiny import WordEmbedder


@pytest.fixture
def memory(section):
    memory = CorrectionMemory(":memory:", WordEmbedder(), section.corrections)
    yield memory
    memory.close()


def test_a_correction_is_in_the_very_next_prompt_and_only_where_it_belongs(memory):
    assert memory.injected("What is the capital of Australia?") == ""
    memory.store("What is the capital of Australia?", "Canberra", "Sydney")
    assert "Canberra" in memory.injected("what is the capital of australia")
    assert memory.injected("Who wrote Faust?") == ""


def test_a_newer_correction_supersedes_the_older_one(memory):
    memory.store("When does the train leave?", "10:15")
    memory.store("When does the train leave?", "10:45")
    assert [one.answer for one in memory.recall("When does the train leave?")] == ["10:45"]
    assert memory.counts() == {"live": 1, "consolidated": 0, "superseded": 1}


def test_what_the_weights_answer_is_no_longer_injected(memory):
    memory.store("What is the capital of Australia?", "Canberra")
    memory.store("Who wrote Faust?", "Goethe")
    known = memory.consolidate(lambda asked: ["It is Canberra." for _ in asked])
    assert known == 1 and memory.injected("What is the capital of Australia?") == ""
    assert "Goethe" in memory.injected("Who wrote Faust?")
    memory.store("What is the capital of Australia?", "Canberra, still")
    assert "still" in memory.injected("What is the capital of Australia?")


def test_it_outlives_its_process_and_stays_within_its_capacity(section, tmp_path):
    small = override(section.corrections, {"capacity": 3})
    memory = CorrectionMemory(tmp_path / "store.sqlite", WordEmbedder(), small)
    for number in range(5):
        memory.store(f"What colour is door{number}?", f"colour{number}")
    memory.close()
    again = CorrectionMemory(tmp_path / "store.sqlite", WordEmbedder(), small)
    assert again.counts()["live"] == 3
    assert again.recall("What colour is door4?")[0].answer == "colour4"
    assert again.recall("What colour is door0?") == []
    again.close()


@pytest.mark.parametrize(("question", "answer"), [("", "a"), ("q", ""), (" ", " ")])
def test_an_empty_correction_is_refused(memory, question, answer):
    with pytest.raises(DataError, match="with words"):
        memory.store(question, answer)
