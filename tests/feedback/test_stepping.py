import threading

import pytest

from fledgling.core.records import StepRecord
from fledgling.feedback.stepping import stepwise


def counting(log, until=3):
    def run(emit):
        for number in range(until):
            log.append(number)
            emit(StepRecord(number, "step"))
        log.append("end")

    return run


def test_records_come_in_order_and_nothing_runs_ahead():
    log = []
    steps = stepwise(counting(log))
    assert log == []
    assert next(steps).step == 0 and log == [0]
    assert next(steps).step == 1 and log == [0, 1]
    assert [record.step for record in steps] == [2] and log == [0, 1, 2, "end"]


def test_closing_ends_the_run_at_its_next_record():
    log = []
    steps = stepwise(counting(log, until=1000))
    next(steps)
    steps.close()
    assert log == [0]
    assert "stepwise" not in {thread.name for thread in threading.enumerate()}


def test_what_the_run_raises_the_caller_gets():
    def run(emit):
        emit(StepRecord(0, "step"))
        raise ValueError("broken")

    steps = stepwise(run)
    next(steps)
    with pytest.raises(ValueError, match="broken"):
        next(steps)


def test_a_library_that_catches_exceptions_does_not_swallow_the_end():
    reached = []

    def run(emit):
        try:
            emit(StepRecord(0, "step"))
        except Exception:
            reached.append("swallowed")
        reached.append("went on")

    steps = stepwise(run)
    next(steps)
    steps.close()
    assert reached == []
