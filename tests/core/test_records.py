import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fledgling.core.errors import DataError
from fledgling.core.records import StepRecord, judge

NUMBERS = st.integers(-1000, 1000)


@given(measured=NUMBERS, bound=NUMBERS)
def test_judge_compares_as_its_sign_says(measured, bound):
    assert judge("m", f">= {bound}", measured).passed == (measured >= bound)
    assert judge("m", f"> {bound}", measured).passed == (measured > bound)
    assert judge("m", f"<= {bound}", measured).passed == (measured <= bound)
    assert judge("m", f"< {bound}", measured).passed == (measured < bound)
    assert judge("m", f"== {bound}", measured).passed == (measured == bound)


@pytest.mark.parametrize("target", [">= 0", "<= 0", "== 0"])
def test_what_was_not_measured_or_is_no_number_fails(target):
    assert not judge("m", target, None).passed
    assert not judge("m", target, math.nan).passed


@pytest.mark.parametrize("target", ["0.95", "=> 1", ">= high", ">= 1 or so", ""])
def test_a_target_that_is_no_comparison_is_refused(target):
    with pytest.raises(DataError, match="is not a comparison"):
        judge("m", target, 1.0)


def test_small_bounds_may_use_an_exponent():
    assert judge("m", "<= 1e-3", 0.0009).passed and not judge("m", "<= 1e-3", 0.0011).passed


def test_a_step_is_flat_and_its_values_come_last():
    assert StepRecord(3, "learned", "f1", {"loss": 0.5}).to_json() == {
        "step": 3,
        "event": "learned",
        "name": "f1",
        "loss": 0.5,
    }
