"""What is done without a person: collect, look at readiness, train, run all layers, report. Each is
one function that may be called at any time, and twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from fledgling.auto_learning.events import mirror, tell
from fledgling.auto_learning.fine_tuning import fine_tune
from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.medallion.ledger import TASKS
from fledgling.auto_learning.promotion.decisions import decisions
from fledgling.auto_learning.readiness import readiness
from fledgling.auto_learning.registry import CHALLENGER, Model, Registry
from fledgling.auto_learning.rollout import check, deploy, open_test
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.errors import FledglingError
from fledgling.core.records import StepRecord
from fledgling.feedback.examples import ChatExample


class Workshop(Protocol):
    """Where models are made and measured: the one part that needs a language model in memory."""

    def train(self, examples: Sequence[ChatExample], folder: Path) -> Iterator[StepRecord]: ...

    def measure(self, workspace: Workspace, model: Model, champion: Model) -> dict[str, Any]:
        """Guardrails and prediction of a new model, as the registry keeps them."""
        ...


OpenWorkshop = Callable[[], AbstractContextManager[Workshop]]


@dataclass(frozen=True)
class Status:
    """Where a master stands: its models, its examples, its test."""

    master: str
    champion: str | None
    challenger: str | None
    share: float
    examples: int
    new_examples: int
    percent: float
    tokens: int
    usd: float
    local_seconds: float
    hosted_hours: float
    trained_models: int
    last_verdict: str
    last_reason: str


def masters(workspace: Workspace, section: AutoLearningSection) -> list[str]:
    """Every master that has a model or a task."""
    known = set(Registry(workspace).masters())
    if pipeline.ledger_of(workspace).parts(TASKS):
        found = pipeline.query(workspace, section, "SELECT DISTINCT master FROM tasks")
        known |= set(found["master"])
    return sorted(known)


def status(workspace: Workspace, section: AutoLearningSection, master: str) -> Status:
    """Champion, challenger, readiness in percent, tokens, time and cost, and the last verdict."""
    registry = Registry(workspace)
    champion, challenger = registry.serving(master), registry.serving(master, CHALLENGER)
    ready = readiness(workspace, section, master)
    test = open_test(workspace, master)
    made = decisions(workspace, master)
    last = made[-1] if made else None
    return Status(
        master=master,
        champion=champion.id if champion else None,
        challenger=challenger.id if challenger else None,
        share=test.share if test else 0.0,
        examples=ready.examples,
        new_examples=ready.new,
        percent=ready.percent,
        tokens=ready.tokens,
        usd=ready.usd,
        local_seconds=ready.local_seconds,
        hosted_hours=ready.hosted_hours,
        trained_models=ready.trained_models,
        last_verdict=last.verdict if last else "",
        last_reason=last.reason if last else "",
    )


def collect(workspace: Workspace, section: AutoLearningSection, now: datetime) -> None:
    """Take what has arrived through all layers, then look at every test."""
    done = pipeline.run(workspace, section, now)
    if done.changed:
        report = pipeline.collected(workspace, section)
        tell(workspace, now, "collected", **asdict(done), **report)
    for master in masters(workspace, section):
        check(workspace, section, master, now)
    mirror(workspace)


def verify(workspace: Workspace, section: AutoLearningSection, now: datetime) -> None:
    """The nightly run: every file is opened, what is damaged is set aside and made again."""
    damaged = pipeline.set_damaged_aside(workspace)
    if damaged:
        tell(workspace, now, "damaged", files=damaged)
    collect(workspace, section, now)
    tell(workspace, now, "pipeline", rows=pipeline.rows(workspace))
    mirror(workspace)


def look_at_readiness(
    workspace: Workspace, section: AutoLearningSection, now: datetime, open_workshop: OpenWorkshop
) -> None:
    """Train for every master that is ready and has no challenger, and deploy what passes."""
    for master in masters(workspace, section):
        state = readiness(workspace, section, master)
        tell(workspace, now, "readiness", master=master, percent=state.percent, ready=state.ready)
        if state.ready and open_test(workspace, master) is None:
            with open_workshop() as workshop:
                improve(workspace, section, master, now, workshop)
    mirror(workspace)


def improve(
    workspace: Workspace,
    section: AutoLearningSection,
    master: str,
    now: datetime,
    workshop: Workshop,
) -> Model:
    """Fine-tune, measure, and deploy unless the model broke a guardrail or is not worth it."""
    *_, done = fine_tune(workspace, section, master, workshop.train, now)
    registry = Registry(workspace)
    model, champion = registry.get(done.name), registry.start(master, now)
    registry.measured(model.id, workshop.measure(workspace, model, champion))
    model = registry.get(model.id)
    reasons = list(model.metrics.get("guardrails_broken") or [])
    if model.metrics.get("worth_it") is False:
        reasons.append(
            f"it is better with probability {model.metrics['probability']:.2f} only, below"
            f" {section.prediction.skip_below:g}"
        )
    if reasons:
        tell(workspace, now, "not_deployed", master=master, model=model.id, reasons=reasons)
    else:
        deploy(workspace, section, model.id, now)
    return model


def report_status(workspace: Workspace, section: AutoLearningSection, now: datetime) -> None:
    """One status event a master, and the tables' sizes."""
    for master in masters(workspace, section):
        tell(workspace, now, "status", **asdict(status(workspace, section, master)))
    tell(workspace, now, "tables", rows=pipeline.rows(workspace))
    mirror(workspace)


def said(error: Exception) -> str:
    """What went wrong, for an event: our own messages as they are, others with their kind."""
    return str(error) if isinstance(error, FledglingError) else f"{type(error).__name__}: {error}"
