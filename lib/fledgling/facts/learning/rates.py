"""How fast to learn from what was just said."""

from __future__ import annotations

import math

from fledgling.facts.settings import RatesSection


def context_rate(base: float, context: str, rates: RatesSection, *, repetitions: int = 1) -> float:
    """``base`` × the multiplier of a context: 1 for a ``fact``, else that of ``regular`` or
    ``question``.

    A fact heard again learns faster, × ``repeated`` for each time after the first; up to
    ``largest``. Raises ``KeyError`` for an unknown context.
    """
    factor = {"regular": rates.regular, "question": rates.question, "fact": 1.0}[context]
    if context == "fact":
        growth = max(repetitions - 1, 0) * math.log(rates.repeated)
        factor *= math.exp(min(growth, 100.0))  # far above any bound, and never an overflow
    return base * min(factor, rates.largest)
