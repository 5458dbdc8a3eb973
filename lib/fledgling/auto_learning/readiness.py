"""Is there enough to train on, and what would it take?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas

from fledgling.auto_learning.chat import chat
from fledgling.auto_learning.collector import TRAINING
from fledgling.auto_learning.medallion.ledger import EXAMPLES
from fledgling.auto_learning.medallion.pipeline import ledger_of, query
from fledgling.auto_learning.registry import Registry
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.errors import DataError
from fledgling.feedback.examples import ChatExample


@dataclass(frozen=True)
class Readiness:
    """Examples of a master: all that may be trained on, those never trained on, and how many of
    these make a fine-tune. ``usd`` and ``hosted_hours`` are a hosted service's, ``local_seconds``
    this machine's.
    """

    master: str
    examples: int
    new: int
    needed: int
    tokens: int
    usd: float
    hosted_hours: float
    local_seconds: float
    trained_models: int

    @property
    def ready(self) -> bool:
        return self.new >= self.needed

    @property
    def percent(self) -> float:
        """Of the new examples that are needed; at most 100."""
        return min(100.0, 100.0 * self.new / self.needed)


def readiness(workspace: Workspace, section: AutoLearningSection, master: str) -> Readiness:
    """Where a master stands on the way to its next fine-tune."""
    found = examples(workspace, section, master)
    trained = _trained(workspace, master)
    rule = section.readiness
    tokens = _tokens(found, rule.chars_per_token)
    models = [model for model in Registry(workspace).models(master) if model.folder]
    speeds = [
        model.metrics["tokens_per_second"]
        for model in models
        if model.metrics.get("tokens_per_second")
    ]
    passes = tokens * section.training.epochs
    return Readiness(
        master=master,
        examples=len(found),
        new=sum(task not in trained for task in found["task_id"]),
        needed=rule.examples,
        tokens=tokens,
        usd=tokens / 1e6 * rule.usd_per_million_tokens,
        hosted_hours=rule.hosted_hours,
        local_seconds=passes / (speeds[-1] if speeds else rule.tokens_per_second),
        trained_models=len(models),
    )


def check_ready(workspace: Workspace, section: AutoLearningSection, master: str) -> None:
    """Raise ``DataError`` when there are too few new examples for a fine-tune."""
    state = readiness(workspace, section, master)
    if not state.ready:
        raise DataError(
            f"{master} has {state.new} new examples of {state.needed} ({state.percent:.0f}%);"
            " collect more, or lower auto_learning.readiness.examples"
        )


def examples(
    workspace: Workspace, section: AutoLearningSection, master: str, *, only_new: bool = False
) -> pandas.DataFrame:
    """The texts of a master that may be trained on, in the order of their ids: task_id, area,
    prompt, reply. ``only_new``: of tasks that no model was trained on.

    Of several tasks with the same prompt the first stands: a question asked a hundred times is
    still one lesson.
    """
    if not ledger_of(workspace).parts(EXAMPLES):
        return pandas.DataFrame({"task_id": [], "area": [], "prompt": [], "reply": []})
    found = query(
        workspace,
        section,
        "SELECT task_id, area, prompt, reply FROM examples WHERE master = ? AND side = ?"
        " QUALIFY row_number() OVER (PARTITION BY lower(trim(prompt)) ORDER BY task_id) = 1"
        " ORDER BY task_id",
        (master, TRAINING),
    )
    if only_new:
        found = found[~found["task_id"].isin(_trained(workspace, master))]
    return found.reset_index(drop=True)


def conversations(found: pandas.DataFrame, system: str = "") -> list[ChatExample]:
    """Examples as the trainer and the hosted file take them."""
    return [chat(row.prompt, row.reply, system) for row in found.itertuples()]


def _trained(workspace: Workspace, master: str) -> set[str]:
    rows = workspace.store.execute("SELECT task_id FROM trained WHERE master = ?", (master,))
    return {row[0] for row in rows}


def _tokens(found: pandas.DataFrame, chars_per_token: float) -> int:
    texts: Sequence[str] = [*found["prompt"], *found["reply"]]
    return round(sum(map(len, texts)) / chars_per_token)
