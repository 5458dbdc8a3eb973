import threading
import time

import pytest

from fledgling.feedback.triggers import Floor, due


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"pending": 0, "important": 0, "idle_seconds": 999.0, "asked": True}, ""),
        ({"pending": 1, "important": 0, "idle_seconds": 3.0, "asked": True}, "manual"),
        ({"pending": 5, "important": 5, "idle_seconds": 3.0, "asked": False}, "important"),
        ({"pending": 9, "important": 4, "idle_seconds": 3.0, "asked": False}, ""),
        ({"pending": 1, "important": 0, "idle_seconds": 120.0, "asked": False}, "idle"),
    ],
)
def test_the_documented_triggers(section, now, reason):
    assert due(section.triggers, **now) == reason


def test_a_waiting_reply_goes_before_the_next_micro_batch():
    floor, order = Floor(), []
    in_batch, go_on = threading.Event(), threading.Event()

    def trainer():
        with floor.training():
            order.append("batch 1")
            in_batch.set()
            go_on.wait(5)
        with floor.training():
            order.append("batch 2")

    def chat():
        with floor.reply():
            order.append("reply")

    training = threading.Thread(target=trainer)
    training.start()
    in_batch.wait(5)
    chatting = threading.Thread(target=chat)
    chatting.start()
    while not floor._replying:
        time.sleep(0.001)
    go_on.set()
    training.join(5)
    chatting.join(5)
    assert order == ["batch 1", "reply", "batch 2"]


def test_nobody_computes_beside_somebody_else():
    floor, inside, most = Floor(), [0], [0]

    def work(turn):
        for _ in range(50):
            with turn():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [
        threading.Thread(target=work, args=(turn,)) for turn in (floor.reply, floor.training)
    ]
    threads += [threading.Thread(target=work, args=(floor.reply,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most[0] == 1


def test_idle_is_measured_from_the_end_of_the_last_reply():
    floor = Floor()
    with floor.reply():
        assert floor.idle_seconds == 0
    assert floor.idle_seconds >= 0
