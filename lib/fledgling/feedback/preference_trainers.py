"""TRL's DPO and KTO on rows that are tokens already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fledgling.feedback.examples import TokenRow
from fledgling.feedback.pairs import PairRow
from fledgling.feedback.settings import PreferencesSection, TrainingSection
from fledgling.models.adapters import Adapter

if TYPE_CHECKING:
    from transformers import Trainer


def dpo(
    adapter: Adapter,
    progress: Path,
    *,
    pairs: Sequence[PairRow],
    section: TrainingSection,
    preferences: PreferencesSection,
    seed: int,
) -> Trainer:
    """Direct preference optimisation, with some imitation of the better reply where
    ``preferences.imitation`` says so.
    """
    from trl import DPOConfig, DPOTrainer

    with_imitation = preferences.imitation > 0
    arguments = DPOConfig(
        **_arguments(adapter, progress, section, seed),
        beta=preferences.beta,
        loss_type=["sigmoid", "sft"] if with_imitation else ["sigmoid"],
        loss_weights=[1.0, preferences.imitation] if with_imitation else None,
    )
    rows = [
        {"prompt_ids": row.prompt, "chosen_ids": row.chosen, "rejected_ids": row.rejected}
        for row in pairs
    ]
    return _on_tokens(DPOTrainer, adapter, arguments, rows)


def kto(
    adapter: Adapter,
    progress: Path,
    *,
    pairs: Sequence[PairRow],
    bad: Sequence[TokenRow | None],
    section: TrainingSection,
    preferences: PreferencesSection,
    seed: int,
) -> Trainer:
    """Kahneman-Tversky optimisation: both replies of a pair, and those known only to be bad."""
    from trl import KTOConfig, KTOTrainer

    replies = [(row.prompt, row.chosen, True) for row in pairs]
    replies += [(row.prompt, row.rejected, False) for row in pairs]
    for row in filter(None, bad):
        begins = sum(label < 0 for label in row.labels)
        replies.append((row.ids[:begins], row.ids[begins:], False))
    good = sum(is_good for *_, is_good in replies)
    # the KL term needs another example's reply under each prompt, so at least two in a batch
    wide = section.model_copy(
        update={
            "batch_size": max(2, section.batch_size),
            "accumulation": max(1, section.accumulation // 2),
        }
    )
    arguments = KTOConfig(
        **_arguments(adapter, progress, wide, seed),
        beta=preferences.beta,
        desirable_weight=max(1.0, (len(replies) - good) / max(good, 1)),
        undesirable_weight=1.0,
    )
    order = torch.randperm(len(replies), generator=torch.Generator().manual_seed(seed)).tolist()
    replies = [replies[place] for place in order]
    others = mismatched([reply for _, reply, _ in replies], wide.batch_size)
    rows = [
        {
            "prompt_ids": prompt,
            "completion_ids": reply,
            "label": is_good,
            "KL_completion_ids": other,
        }
        for (prompt, reply, is_good), other in zip(replies, others, strict=True)
    ]
    return _on_tokens(KTOTrainer, adapter, arguments, rows)


def _arguments(
    adapter: Adapter, progress: Path, section: TrainingSection, seed: int
) -> dict[str, Any]:
    from fledgling.feedback.trl_parts import common_arguments

    device, dtype = adapter.loaded.device, adapter.loaded.model.dtype
    common = common_arguments(section, progress, device, dtype, seed)
    return {**common, "max_length": None, "disable_dropout": False}


def _on_tokens(base: type, adapter: Adapter, arguments: Any, rows: list[dict[str, Any]]) -> Trainer:
    from datasets import Dataset

    from fledgling.feedback.trl_parts import Reporting

    class Preferring(Reporting, base):
        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    return Preferring(
        model=adapter.peft,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=adapter.loaded.tokenizer,
    )


def mismatched(replies: Sequence[list[int]], size: int) -> list[list[int]]:
    """Within each batch of ``size``, the replies moved on by one.

    >>> mismatched([[1], [2], [3], [4], [5]], 2)
    [[2], [1], [4], [3], [5]]
    """
    batches = [list(replies[start : start + size]) for start in range(0, len(replies), size)]
    return [reply for batch in batches for reply in [batch[-1], *batch[:-1]]]
