"""What time it is, as a thing that is handed in: the real clock, or one that runs faster."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"  # of fixed width, so that texts sort as times do


@dataclass(frozen=True)
class Clock:
    """UTC, ``speed`` times as fast as real since it was made, and beginning at ``start``."""

    speed: float = 1.0
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    begun: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """With ``speed`` 1 the machine's clock, changes of it included."""
        if self.speed == 1.0:
            return datetime.now(UTC)
        return self.start + timedelta(seconds=(time.monotonic() - self.begun) * self.speed)


def stamp(moment: datetime) -> str:
    """A time as the store keeps it.

    >>> stamp(datetime(2026, 11, 21, 2, tzinfo=UTC))
    '2026-11-21T02:00:00.000000Z'
    """
    return moment.astimezone(UTC).strftime(FORMAT)


def unstamp(text: str) -> datetime:
    """The time that ``stamp`` wrote."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)
