"""How fast something new is learned."""

from __future__ import annotations

from collections.abc import Sequence


def updates_to_learn(losses: Sequence[float], threshold: float) -> int | None:
    """Updates until the loss before an update first falls below ``threshold`` (nats per token);
    None: never.

    >>> updates_to_learn([3.1, 1.2, 0.4, 0.1], 0.5)
    2
    """
    return next((number for number, loss in enumerate(losses) if loss < threshold), None)


def improvement(losses: Sequence[float]) -> float | None:
    """Share of the first loss that is gone at the last one; 1 is perfect, below 0 is worse than
    before.
    """
    if len(losses) < 2 or losses[0] == 0:
        return None
    return 1.0 - losses[-1] / losses[0]


def adaptation_speed(losses: Sequence[float]) -> float | None:
    """Mean fall of the loss per update, in nats per token."""
    return (losses[0] - losses[-1]) / (len(losses) - 1) if len(losses) > 1 else None


def recent_loss(losses: Sequence[float], window: int = 10) -> float | None:
    """Mean of the last ``window`` losses."""
    tail = losses[-window:]
    return sum(tail) / len(tail) if tail else None
