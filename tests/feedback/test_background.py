import threading
import time

import pytest

from fledgling.core.errors import DataError
from fledgling.core.layers import override
from fledgling.core.records import Feedback
from fledgling.feedback.background import (
    CURRENT,
    PLAN,
    BackgroundTrainer,
    current_adapter,
    train_pending,
)
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.feedback.triggers import Floor


@pytest.fixture
def quick(section, training):
    """The section with a quick training, and looks every hundredth of a second."""
    fast = override(training, {"epochs": 1})
    preferences = override(section.preferences, {"epochs": 1})
    triggers = override(section.triggers, {"look_seconds": 0.01})
    return section.model_copy(
        update={"training": fast, "preferences": preferences, "triggers": triggers}
    )


@pytest.fixture
def buffer(section, tmp_path):
    buffer = FeedbackBuffer(tmp_path / "store.sqlite", section.buffer)
    yield buffer
    buffer.close()


def fill(buffer, count, start=0):
    for number in range(start, start + count):
        buffer.add(Feedback("positive", 0.9, f"{number} + 1?", f"{number + 1}", "thanks"))


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def test_pending_feedback_becomes_the_serving_adapter_and_is_booked(tiny, buffer, quick, tmp_path):
    fill(buffer, 4)
    folder = tmp_path / "adapters"
    seen = []
    for record in train_pending(tiny, buffer, quick, folder=folder):
        seen.append(record.event)
        if record.event != "done":
            assert current_adapter(folder) is None, "the old one serves until the new one is whole"
    assert seen[-1] == "done" and current_adapter(folder).name == "adapter-0001"
    assert buffer.counters().total_trained == 4 and not buffer.pending()
    assert list(train_pending(tiny, buffer, quick, folder=folder)) == []


def test_the_second_adapter_goes_on_from_the_first(tiny, buffer, quick, tmp_path):
    folder = tmp_path / "adapters"
    fill(buffer, 2)
    list(train_pending(tiny, buffer, quick, folder=folder))
    fill(buffer, 2, start=50)
    list(train_pending(tiny, buffer, quick, folder=folder))
    assert current_adapter(folder).name == "adapter-0002"
    assert buffer.counters().total_trained == 4


@pytest.mark.parametrize("moment", ["middle", "before booking", "before serving"])
def test_a_kill_at_any_moment_trains_nothing_twice(
    tiny, buffer, quick, tmp_path, monkeypatch, moment
):
    folder = tmp_path / "adapters"
    fill(buffer, 4)
    if moment == "middle":
        steps = train_pending(tiny, buffer, quick, folder=folder)
        while next(steps).event != "update":
            pass
        steps.close()
        fill(buffer, 1, start=90)  # comes in after the plan was made
    else:
        place = "mark_trained" if moment == "before booking" else "no"
        with monkeypatch.context() as patched:
            if place == "mark_trained":
                patched.setattr(FeedbackBuffer, "mark_trained", killed)
            else:
                patched.setattr("fledgling.feedback.background.write_json", killed_at_current)
            with pytest.raises(KeyboardInterrupt):
                list(train_pending(tiny, buffer, quick, folder=folder))
    assert (folder / PLAN).is_file() and not (folder / CURRENT).is_file()
    records = list(train_pending(tiny, buffer, quick, folder=folder))
    assert records[-1].event == "done"
    if moment != "middle":
        assert len(records) == 1, "nothing is trained again"
    assert buffer.counters().total_trained == 4
    assert len(buffer.pending()) == (1 if moment == "middle" else 0)


def killed(*_, **__):
    raise KeyboardInterrupt


def killed_at_current(path, value):
    from fledgling.core.files import write_json

    if path.name == CURRENT:
        raise KeyboardInterrupt
    write_json(path, value)


def test_two_trainers_in_one_folder_are_refused(tiny, buffer, quick, tmp_path, refused_beside):
    fill(buffer, 4)
    folder = tmp_path / "adapters"
    told = refused_beside(
        train_pending(tiny, buffer, quick, folder=folder),
        lambda: list(train_pending(tiny, buffer, quick, folder=folder)),
    )
    assert "another trainer is at work" in told


def test_what_cannot_be_learned_does_not_block_the_rest(tiny, buffer, quick, tmp_path):
    buffer.add(Feedback("positive", 0.9, "a" * 9000, "b", "thanks"))
    with pytest.raises(DataError):
        list(train_pending(tiny, buffer, quick, folder=tmp_path / "adapters"))
    fill(buffer, 2)
    records = list(train_pending(tiny, buffer, quick, folder=tmp_path / "adapters"))
    assert records[-1].event == "done" and not buffer.pending()


def test_five_important_exchanges_start_it_by_themselves(tiny, buffer, quick, tmp_path):
    ready = []
    trainer = BackgroundTrainer(
        tiny, buffer, quick, folder=tmp_path / "a", floor=Floor(), ready=ready.append
    )
    with trainer:
        fill(buffer, 4)
        time.sleep(0.2)
        assert not trainer.records
        fill(buffer, 1, start=4)
        until(lambda: ready)
    assert ready[0].name == "adapter-0001" and not trainer.training
    assert buffer.counters().total_trained == 5


def test_it_stops_cleanly_in_the_middle_and_goes_on_later(tiny, buffer, quick, tmp_path):
    fill(buffer, 30)
    long = quick.model_copy(update={"training": override(quick.training, {"epochs": 200})})
    first = BackgroundTrainer(tiny, buffer, long, folder=tmp_path / "a", floor=Floor())
    first.start()
    first.request()
    until(lambda: first.training and len(first.records) > 5)
    first.stop()
    assert current_adapter(tmp_path / "a") is None and (tmp_path / "a" / PLAN).is_file()
    assert not [
        thread for thread in threading.enumerate() if thread.name in ("trainer", "stepwise")
    ]
    assert len(buffer.pending()) == 30


def test_a_request_during_a_training_is_remembered(tiny, buffer, quick, tmp_path):
    fill(buffer, 6)
    ready = []
    trainer = BackgroundTrainer(
        tiny, buffer, quick, folder=tmp_path / "a", floor=Floor(), ready=ready.append
    )
    with trainer:
        until(lambda: trainer.training)
        fill(buffer, 1, start=70)
        trainer.request()
        until(lambda: len(ready) == 2)
    assert buffer.counters().total_trained == 7


def test_a_reply_gets_the_floor_between_two_micro_batches(tiny, buffer, quick, tmp_path):
    fill(buffer, 30)
    long = quick.model_copy(update={"training": override(quick.training, {"epochs": 50})})
    floor = Floor()
    trainer = BackgroundTrainer(tiny, buffer, long, folder=tmp_path / "a", floor=floor)
    with trainer:
        trainer.request()
        until(lambda: trainer.training)
        with floor.reply():
            before = len(trainer.records)
            time.sleep(0.1)
            assert len(trainer.records) == before, "nothing is trained during a reply"
        until(lambda: len(trainer.records) > before)
