"""What is lost while more is learned, from a retention matrix.

R[i][j] is the score on item j after step i; item j is taught at step j, so R is lower triangular
where only taught items are scored. None stands where an item was not asked about: before it was
taught, or because nothing asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence

Matrix = Sequence[Sequence[float | None]]


def backward_transfer(matrix: Matrix) -> float | None:
    """Mean over all but the last item of (score after the last step − score when just taught);
    below 0 is forgetting (Lopez-Paz and Ranzato, 2017).

    >>> backward_transfer([[1.0, None], [0.5, 1.0]])
    -0.5
    """
    last = matrix[-1]
    changes = [
        last[item] - matrix[item][item]
        for item in range(len(matrix) - 1)
        if last[item] is not None and matrix[item][item] is not None
    ]
    return sum(changes) / len(changes) if changes else None


def forgetting(matrix: Matrix) -> float | None:
    """Mean over items of (best score so far − final score), items scored once left out (Chaudhry et
    al., 2018).
    """
    lost = []
    for item in range(len(matrix) - 1):
        scores = [row[item] for row in matrix[item:] if row[item] is not None]
        if len(scores) > 1:
            lost.append(max(scores) - scores[-1])
    return sum(lost) / len(lost) if lost else None


def retention_by_lag(matrix: Matrix) -> list[float]:
    """Mean score by how many items were taught since: position 0 is the item just taught."""
    means = []
    for lag in range(len(matrix)):
        scores = [
            matrix[step][step - lag]
            for step in range(lag, len(matrix))
            if matrix[step][step - lag] is not None
        ]
        if not scores:
            break
        means.append(sum(scores) / len(scores))
    return means
