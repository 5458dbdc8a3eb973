"""What time it is, as a thing that is handed in: the machine's, or one that runs faster."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"  # of fixed width, so that texts sort as times do


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """UTC, ``speed`` times as fast as the machine's since it was made."""

    speed: float = 1.0
    start: datetime = field(default_factory=_utc_now)

    def now(self) -> datetime:
        return self.of(_utc_now())

    def of(self, real: datetime) -> datetime:
        """This clock's time at a real time."""
        return real if self.speed == 1.0 else self.start + (real - self.start) * self.speed

    def real(self, moment: datetime) -> datetime:
        """The real time at which this clock shows ``moment``."""
        return moment if self.speed == 1.0 else self.start + (moment - self.start) / self.speed


@dataclass
class JumpWatch:
    """Notices that the machine's clock was changed: it has moved otherwise than the monotonic one.

    ``look`` returns by how many seconds since the last look, 0 for less than ``limit_s``.
    """

    limit_s: float
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._seen = self.wall() - self.steady()

    def look(self) -> float:
        offset = self.wall() - self.steady()
        jumped, self._seen = offset - self._seen, offset
        return jumped if abs(jumped) >= self.limit_s else 0.0


def stamp(moment: datetime) -> str:
    """A time as the store keeps it.

    >>> stamp(datetime(2026, 11, 21, 2, tzinfo=UTC))
    '2026-11-21T02:00:00.000000Z'
    """
    return moment.astimezone(UTC).strftime(FORMAT)


def unstamp(text: str) -> datetime:
    """The time that ``stamp`` wrote."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)
