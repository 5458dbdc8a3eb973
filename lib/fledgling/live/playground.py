"""The live cell of notebooks 04 and 05: ask the taught model anything, beside the frozen base and
two controls that learn nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fledgling.core.errors import FledglingError
from fledgling.core.records import Fact, Turn
from fledgling.facts.flow import learn
from fledgling.facts.learner import GateReaders, OnlineLearner
from fledgling.facts.placements import BASE
from fledgling.facts.placements.in_prompt import PROMPT, InPrompt
from fledgling.facts.settings import FactsSection
from fledgling.language.settings import LanguageSection
from fledgling.live import views
from fledgling.live.texts import check_message
from fledgling.models.loading import LoadedModel
from fledgling.reports.live_cells import live_cell

if TYPE_CHECKING:
    import ipywidgets

_LONGEST = 2000  # characters of a question
_REPLY_TOKENS = 32


def teach(
    loaded: LoadedModel,
    readers: GateReaders,
    facts: FactsSection,
    language: LanguageSection,
    turns: Iterable[Turn],
) -> OnlineLearner:
    """A learner that was told these turns, in memory alone."""
    learner = OnlineLearner(loaded, facts, language, readers=readers)
    for _ in learn(learner, turns, reply=False, taught=True):
        pass
    return learner


def ask_beside(learner: OnlineLearner, question: str) -> list[tuple[str, str]]:
    """(who, answer) to one question: the frozen base, the taught model, and two controls with the
    fact that the gate finds: it is printed as stored, or stands in the base's prompt. Raises
    ``DataError`` for a question that cannot be read.
    """
    question = check_message(question, _LONGEST)
    (base,) = learner.base_answer([question], max_new_tokens=_REPLY_TOKENS)
    (taught,) = learner.answer([question], max_new_tokens=_REPLY_TOKENS)
    opened = taught.source != BASE and taught.route.fact_id
    fact = learner.memory.get(taught.route.fact_id) if opened else None
    by = f"fact opened at {taught.route.probability:.2f}" if fact else "no fact opened"
    return [
        ("the base", base),
        (f"the taught model ({by})", taught.text),
        ("control: the stored sentence", fact.statement if fact else base),
        ("control: the fact in the prompt", _in_prompt(learner, fact, question) if fact else base),
    ]


def _in_prompt(learner: OnlineLearner, fact: Fact, question: str) -> str:
    prompt = InPrompt(learner.adapted, lambda: [fact])
    with prompt.acting(PROMPT) as model:
        return model.answer([question], max_new_tokens=_REPLY_TOKENS)[0]


class Asking:
    """A line to type questions into, and what everybody answers to the last one."""

    def __init__(self, learner: OnlineLearner) -> None:
        self.learner = learner

    def answers(self, question: str) -> str:
        """The answers as HTML; where the question cannot be read, why."""
        try:
            rows = ask_beside(self.learner, question)
        except FledglingError as error:
            return views.status(str(error), failed=True)
        return views.answers(rows)

    def widget(self, question: str) -> ipywidgets.VBox:
        """The line and the answers, for JupyterLab."""
        import ipywidgets

        told = "; ".join(fact.statement for fact in self.learner.memory.all()[:6])
        known = ipywidgets.Label(f"It was told: {told}")
        line = ipywidgets.Text(
            question, description="question", continuous_update=False, layout={"width": "auto"}
        )
        shown = ipywidgets.HTML(self.answers(question))
        style = ipywidgets.HTML(views.STYLE)

        def typed(change: dict[str, str]) -> None:
            shown.value = self.answers(change["new"])

        line.observe(typed, names="value")
        return ipywidgets.VBox([style, known, line, shown])


def asking_cell(
    taught: Callable[[], OnlineLearner], question: str, still: Callable[[], Any]
) -> Any:
    """The live cell: ``taught`` makes the learner, in JupyterLab only; headless, ``still`` is
    shown.
    """
    return live_cell(lambda: Asking(taught()).widget(question), still)
