"""How well facts are told from everything else that is said."""

from __future__ import annotations

from collections.abc import Sequence


def precision_recall(
    found: Sequence[bool], wanted: Sequence[bool]
) -> tuple[float | None, float | None]:
    """(precision, recall) of ``found`` against ``wanted``; None where nothing was found, or nothing
    wanted.

    >>> precision_recall([True, True, False, False], [True, False, True, False])
    (0.5, 0.5)
    """
    right = sum(one and other for one, other in zip(found, wanted, strict=True))
    return (
        right / sum(found) if any(found) else None,
        right / sum(wanted) if any(wanted) else None,
    )
