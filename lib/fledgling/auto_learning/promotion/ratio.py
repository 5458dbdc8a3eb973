"""Did the challenger get the share of traffic that it was meant to get? If not, something between
assignment and outcome loses tasks, and no comparison can be trusted.

An anytime-valid test: the evidence of a Dirichlet mixture against the planned shares, Lindon and
Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022). Shares that change from
stage to stage are separate tests whose evidence multiplies.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln


def log_evidence(challenger: np.ndarray, shares: np.ndarray, concentration: float) -> np.ndarray:
    """(..., T) log of the evidence, after each task, that tasks did not reach the challenger with
    the probabilities ``shares``. If they did, its exponential ever exceeds 1/α with probability α
    at most.
    """
    total = np.zeros(np.shape(challenger))
    for share in np.unique(shares):
        stage = shares == share
        ours = np.cumsum(np.where(stage & challenger, 1.0, 0.0), axis=-1)
        theirs = np.cumsum(np.where(stage & ~challenger, 1.0, 0.0), axis=-1)
        a, b = concentration * share, concentration * (1.0 - share)
        planned = ours * np.log(share) + theirs * np.log1p(-share)
        total = total + betaln(a + ours, b + theirs) - betaln(a, b) - planned
    return total
