import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fledgling.core.errors import DataError
from fledgling.core.layers import override
from fledgling.core.records import Feedback
from fledgling.feedback.buffer import FeedbackBuffer, identity
from fledgling.settings import load_config

SECTION = load_config().feedback.buffer


def said(number, label="positive", confidence=0.9, **more):
    return Feedback(label, confidence, f"question {number}", f"reply {number}", "ok", **more)


@pytest.fixture
def small(section):
    return override(section.buffer, {"capacity": 10})


def test_what_goes_in_comes_out_the_same(tmp_path, section):
    buffer = FeedbackBuffer(tmp_path / "store.sqlite", section.buffer)
    feedback = said(1, "correction", 0.7, quality=0.0, signals=("denial",), correction="Wien")
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    buffer.add(feedback, history=history, better="It is Wien.")
    buffer.close()
    entry = FeedbackBuffer(tmp_path / "store.sqlite", section.buffer).entries()[0]
    assert entry.feedback == feedback
    assert (entry.history, entry.better) == (tuple(history), "It is Wien.")


def test_it_never_holds_more_than_its_capacity_and_prefers_the_new(small):
    buffer = FeedbackBuffer(":memory:", small)
    for number in range(100):
        buffer.add(said(number))
    numbers = [entry.number for entry in buffer.entries()]
    assert numbers == list(range(91, 101))
    assert buffer.counters().processed == 100 and buffer.counters().size == 10


def test_the_certain_outlive_the_uncertain(small):
    buffer = FeedbackBuffer(":memory:", override(small, {"half_life": 1000.0}))
    for number in range(40):
        buffer.add(said(number, confidence=0.95 if number < 10 else 0.3))
    assert {entry.feedback.confidence for entry in buffer.entries()} == {0.95}


def test_a_flood_of_one_label_does_not_wash_out_the_others(small):
    buffer = FeedbackBuffer(":memory:", small)
    for number in range(3):
        buffer.add(said(number, "correction", correction="x"))
    for number in range(200):
        buffer.add(said(1000 + number, "neutral"))
    labels = [entry.feedback.label for entry in buffer.entries()]
    assert labels.count("correction") == 3


def test_what_was_trained_on_goes_first(small):
    buffer = FeedbackBuffer(":memory:", small)
    keys = [buffer.add(said(number)) for number in range(10)]
    buffer.mark_trained(keys[5:], "first")
    for number in range(5):
        buffer.add(said(100 + number))
    assert [entry.number for entry in buffer.entries()] == [1, 2, 3, 4, 5, 11, 12, 13, 14, 15]


def test_the_same_exchange_again_is_counted_but_kept_once(section):
    buffer = FeedbackBuffer(":memory:", section.buffer)
    first = buffer.add(said(1))
    again = buffer.add(Feedback("positive", 0.5, "  Question 1", "REPLY 1 ", "thanks"))
    assert first == again and len(buffer.entries()) == 1
    assert buffer.counters().processed == 2


def test_no_exchange_is_given_to_training_twice(section):
    buffer = FeedbackBuffer(":memory:", section.buffer)
    keys = [buffer.add(said(number)) for number in range(6)]
    assert len(buffer.pending()) == 6
    assert buffer.mark_trained(keys[:4], "first") == 4
    assert buffer.mark_trained(keys[:4], "first") == 0, "a training is booked once"
    buffer.add(said(1))
    assert [entry.number for entry in buffer.pending()] == [5, 6]
    counters = buffer.counters()
    assert counters.total_trained == 4 and counters.last_training


def test_the_counters_say_what_was_seen_and_what_is_held(section):
    buffer = FeedbackBuffer(":memory:", section.buffer)
    buffer.add(said(1, signals=("thanks",)))
    buffer.add(said(2, signals=("follow_up", "same_topic")))
    buffer.add(said(3, "correction", correction="x", signals=("explicit_correction",)))
    buffer.add(said(4, "negative", 0.4))
    buffer.add(said(5, "neutral"))
    counters = buffer.counters()
    assert (counters.processed, counters.size) == (5, 5)
    assert (counters.positive, counters.negative, counters.neutral) == (2, 2, 1)
    assert (counters.explicit, counters.implicit) == (2, 3)
    assert (counters.corrections_pending, counters.pending) == (1, 4)
    assert buffer.important() == 3


KILLED = """
import sys
from fledgling.core.records import Feedback
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.settings import load_config
buffer = FeedbackBuffer(sys.argv[1], load_config().feedback.buffer)
number = 0
while True:
    number += 1
    labels = ("positive", "neutral", "negative")
    buffer.add(Feedback(labels[number % 3], 0.9, f"question {number}", "reply", "so",
                        signals=("thanks",) if number % 2 else ()))
    print(number, flush=True)
"""


def test_the_counters_are_exact_after_kill_9(tmp_path):
    path = tmp_path / "store.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    reported = 0
    while reported < 700:
        reported = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().split("\n")[:-1]  # the last line may be cut short
    reported = int(rest[-1]) if rest else reported
    process.wait()
    buffer = FeedbackBuffer(path, SECTION)
    counters, entries = buffer.counters(), buffer.entries()
    assert counters.processed in (reported, reported + 1), "committed before it was reported"
    assert counters.size == len(entries) == min(SECTION.capacity, counters.processed)
    assert counters.implicit + counters.explicit == counters.processed
    assert counters.explicit == (counters.processed + 1) // 2
    held = [entry.feedback.label for entry in entries]
    assert counters.positive == held.count("positive")


def add_some(path, start):
    buffer = FeedbackBuffer(path, SECTION)
    for number in range(start, start + 50):
        buffer.add(said(number))


def test_two_processes_share_one_buffer(tmp_path):
    path = tmp_path / "store.sqlite"
    FeedbackBuffer(path, SECTION).close()
    start = multiprocessing.get_context("spawn").Process
    workers = [start(target=add_some, args=(path, first)) for first in (0, 1000)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert FeedbackBuffer(path, SECTION).counters().processed == 100


def test_another_thread_waits_for_what_is_being_written(section, monkeypatch):
    buffer = FeedbackBuffer(":memory:", section.buffer)
    begun, go_on, add = threading.Event(), threading.Event(), buffer._add

    def slowly(*given):
        begun.set()
        go_on.wait(20)
        return add(*given)

    monkeypatch.setattr(buffer, "_add", slowly)
    with ThreadPoolExecutor(2) as threads:
        adding = threads.submit(buffer.add, said(1))
        assert begun.wait(20)
        looking = threads.submit(buffer.counters)
        looked_at_once = bool(wait([looking], timeout=0.2).done)
        go_on.set()
        assert adding.result() and looking.result().size == 1 and not looked_at_once


def test_a_broken_chunk_is_taken_back_whole(section):
    buffer = FeedbackBuffer(":memory:", section.buffer)

    def items():
        yield said(1), (), ""
        yield said(2), (), ""
        raise OSError("the source broke")

    with pytest.raises(OSError):
        buffer.add_all(items(), chunk=10)
    assert buffer.counters().processed == 0
    assert buffer.add_all(((said(n), (), "") for n in range(25)), chunk=10) == 25


def test_a_damaged_file_is_named(tmp_path, section):
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(DataError, match=r"store\.sqlite"):
        FeedbackBuffer(path, section.buffer)


LABEL = some.sampled_from(["positive", "negative", "neutral", "correction"])


@given(some.lists(some.tuples(some.integers(0, 30), LABEL, some.booleans()), max_size=80))
def test_sizes_and_counters_always_agree(steps):
    section = override(SECTION, {"capacity": 7})
    buffer, trained = FeedbackBuffer(":memory:", section), set()
    for number, label, train in steps:
        key = buffer.add(said(number, label))
        if train:
            assert buffer.mark_trained([key], f"run-{len(trained)}") == 1
            trained.add(len(trained))
        counters, entries = buffer.counters(), buffer.entries()
        assert counters.size == len(entries) <= 7
        assert counters.size == counters.positive + counters.negative + counters.neutral
        assert len({identity(entry.feedback) for entry in entries}) == len(entries)
    assert buffer.counters().processed == len(steps)
    buffer.close()
