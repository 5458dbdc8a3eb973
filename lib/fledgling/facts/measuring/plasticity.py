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
