"""What an update costs beside what the hardware could do."""

from __future__ import annotations


def floor_seconds(parameters: int, tokens: float, flops_per_second: float) -> float:
    """The least time of one update: 4 floating-point operations a parameter and token (2 forward, 2
    backward through a frozen base) at the machine's measured rate of matrix products.

    >>> floor_seconds(100_000_000, 250, 200e9)
    0.5
    """
    if flops_per_second <= 0:
        raise ValueError(
            f"flops_per_second is {flops_per_second}; measure it with models.flops.matmul_rate"
        )
    return 4.0 * parameters * tokens / flops_per_second


def over_floor(
    seconds: float | None, tokens: float | None, parameters: int, flops_per_second: float
) -> float | None:
    """Measured seconds of an update over its floor; None where there was no update."""
    if seconds is None or not tokens:
        return None
    return seconds / floor_seconds(parameters, tokens, flops_per_second)
