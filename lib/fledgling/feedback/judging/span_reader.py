"""Where in a correction the answer stands, as a reader of both texts sees it: for every token the
chance that the answer begins or ends there (as in reading comprehension; Devlin et al., 2019,
arXiv:1810.04805, section 4.2).

It only adds to what the ranker of answers weighs (``corrections``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from fledgling.feedback.judging.dialogues import FOLDER
from fledgling.models.pair_scorer import PairScorer, batches_by_length, load_pair_scorer

SPAN_READER = FOLDER / "span_reader.safetensors"
LEAST, SCALE = -12.0, 6.0  # log chances are cut there, and divided by that
READ_CHARACTERS = 200  # of question and reply; the turn itself must fit beside them


@dataclass(frozen=True)
class Reading:
    """``places`` (T, 2): characters of the turn where its tokens begin and end; ``begins`` and
    ``ends`` (T,): log chances that the answer does.
    """

    places: np.ndarray
    begins: np.ndarray
    ends: np.ndarray

    def features(self, start: int, stop: int) -> dict[str, float]:
        """What speaks for characters ``start`` to before ``stop``, about −1 to 1."""
        first = np.flatnonzero(self.places[:, 1] > start)
        last = np.flatnonzero(self.places[:, 0] < stop)
        begins = self.begins[first[0]] if len(first) else LEAST
        ends = self.ends[last[-1]] if len(last) else LEAST
        return {
            "read_begins": max(float(begins), LEAST) / SCALE + 1.0,
            "read_ends": max(float(ends), LEAST) / SCALE + 1.0,
        }


def asked(prompt: str, reply: str) -> str:
    """What stands before the turn, as the reader reads it."""
    return f"{prompt[:READ_CHARACTERS]} → {reply[:READ_CHARACTERS]}"


def token_logits(
    scorer: PairScorer, pairs: Sequence[tuple[str, str]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs (what was asked, the turn) → logits (N, T, 2) of beginning and end, −∞ outside the
    turn, and the characters (N, T, 2) of the tokens.
    """
    batch = scorer.tokens(pairs, offsets=True)
    places = batch.pop("offset_mapping")
    logits = scorer.head(scorer.encoder.model(**batch).last_hidden_state)
    outside = (batch["token_type_ids"] == 0) | (places[..., 1] == 0)
    return logits.masked_fill(outside.unsqueeze(-1), -torch.inf), places


@torch.no_grad()
def read_spans(
    scorer: PairScorer, pairs: Sequence[tuple[str, str]], batch_size: int = 32
) -> list[Reading]:
    """A reading of each pair (what was asked, the turn)."""
    found: dict[int, Reading] = {}
    for chosen in batches_by_length(pairs, batch_size):
        logits, places = token_logits(scorer, [pairs[place] for place in chosen])
        chances = torch.log_softmax(logits, dim=1).numpy()
        for place, one, where in zip(chosen, chances, places.numpy(), strict=True):
            inside = np.isfinite(one[:, 0])
            found[place] = Reading(where[inside], one[inside, 0], one[inside, 1])
    return [found[place] for place in range(len(pairs))]


@cache
def load_span_reader() -> PairScorer:
    """The packaged reader of corrections, loaded once."""
    return load_pair_scorer(SPAN_READER, "python benchmarks/train_feedback_reader.py")
