"""Damage to a store is noticed wherever it falls, told in words, and mended as far as possible."""

import random
import shutil

import pytest

from fledgling.core.errors import DataError
from fledgling.core.records import Turn
from fledgling.facts.flow import learn
from fledgling.facts.store_check import check, mend

TURNS = ["Lena lives in Oslo.", "Tom is my friend.", "My keys are in the blue drawer."]


@pytest.fixture
def taught(new_learner, tmp_path):
    learner = new_learner(tmp_path / "s.sqlite")
    list(learn(learner, [Turn(text) for text in TURNS], reply=False))
    learner.close()
    return tmp_path / "s.sqlite"


def test_a_sound_store_says_so(taught):
    report = check(taught)
    assert report.sound and (report.facts, report.adapters) == (3, 3)


def test_sixty_random_corruptions_are_all_noticed_and_none_is_a_raw_error(
    taught, tmp_path, new_learner
):
    """Bytes changed, a piece overwritten, the end cut off: opening refuses with one sentence, and
    after mending the store opens again.
    """
    rng, whole = random.Random(3), taught.read_bytes()
    for number in range(60):
        copy = tmp_path / f"copy-{number}.sqlite"
        shutil.copy(f"{taught}.sum", f"{copy}.sum")
        copy.write_bytes(damaged(whole, rng, number % 3))
        with pytest.raises(DataError, match=r"damaged|SQLite|earlier version|schema version"):
            new_learner(copy)
        try:
            assert not check(copy).sound
            mend(copy)
        except DataError:
            continue  # nothing left to read: said in one sentence
        again = new_learner(copy)
        assert len(again.memory) <= len(TURNS)
        again.close()


def damaged(whole: bytes, rng: random.Random, kind: int) -> bytes:
    place = rng.randrange(len(whole))
    if kind == 0:
        return whole[:place] + bytes([whole[place] ^ (1 + rng.randrange(255))]) + whole[place + 1 :]
    if kind == 1:
        return whole[:place] + rng.randbytes(200) + whole[place + 200 :]
    return whole[: max(place, 1)]


def test_a_lost_adapter_leaves_its_fact_to_be_taught_again(taught, new_learner):
    learner = new_learner(taught)
    first = learner.memory.all()[0]
    learner.store.connection.execute(
        "UPDATE adapters SET weights = x'00' WHERE id = ?", (first.id,)
    )
    learner.close()
    report = check(taught)
    assert [finding.place for finding in report.findings] == [f"adapters {first.id!r}"]
    kept = mend(taught)
    assert kept.exists() and check(taught).sound
    again = new_learner(taught)
    assert [fact.id for fact in again.waiting()] == [first.id] and len(again.memory) == 3


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        check(tmp_path / "none.sqlite")
