"""A circuit breaker per model: after some faults in a row the model is left alone, then tried
once.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class CircuitBreaker:
    """Closed (all calls pass), open (none), half-open (one trial). ``clock`` is monotonic, in
    seconds.

    A lasting fault, such as a retired model, opens it for good.
    """

    def __init__(
        self, failures: int, cooldown_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._in_a_row = 0
        self._opened: float | None = None
        self._lasting = ""
        self._trial = False

    @property
    def state(self) -> str:
        """closed, open, half-open or gone."""
        if self._lasting:
            return "gone"
        if self._opened is None:
            return "closed"
        return "half-open" if self._clock() - self._opened >= self._cooldown_s else "open"

    @property
    def reason(self) -> str:
        """Why calls are refused, for the answer's error."""
        return self._lasting or f"resting after {self._in_a_row} faults in a row"

    def allow(self) -> bool:
        """Whether a call may pass now. A half-open breaker lets one through until that one is
        reported.
        """
        if self.state == "half-open" and not self._trial:
            self._trial = True
            return True
        return self.state == "closed"

    def succeed(self) -> None:
        """The call answered: close."""
        self._in_a_row, self._opened, self._trial = 0, None, False

    def fail(self, *, lasting: str = "") -> None:
        """The call failed; ``lasting`` says why this model will never answer."""
        self._in_a_row += 1
        self._lasting = lasting or self._lasting
        if self._trial or self._in_a_row >= self._limit:
            self._opened = self._clock()
        self._trial = False

    def release(self) -> None:
        """The call was given up before it told anything: another trial may pass."""
        self._trial = False
