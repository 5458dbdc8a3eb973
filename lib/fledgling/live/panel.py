"""The widgets of notebook 10: a thin view of a session.

Nothing here decides anything. Every button hands its work to a thread, so that the page answers
while the model speaks or learns; what a person or a model wrote is escaped before it is shown.
Draws into an image and into HTML only: these may be written from any thread.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import ipywidgets as widgets

from fledgling.core.records import StepRecord
from fledgling.live import views
from fledgling.live.figures import plot_session
from fledgling.live.session import Session

_ACTS = {  # event → what the status line says
    "update": "learning…",
    "measured": "learned",
    "undone": "taken back",
    "forgotten": "forgotten, in every file of the session",
    "refused": "noted: not about that",
    "opened": "facts opened",
    "reset": "begun anew",
}


def _button(words: str, tip: str, *, style: str = "") -> widgets.Button:
    layout = widgets.Layout(width="auto", min_width="64px")
    return widgets.Button(description=words, tooltip=tip, button_style=style, layout=layout)


class Panel:
    """``widget`` is what a notebook shows. ``wait`` returns when all that was asked for is done."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._actions = ThreadPoolExecutor(1, "fledgling panel")
        self._drawings = ThreadPoolExecutor(1, "fledgling plots")
        self._drawn = 0.0  # when the plots were last drawn
        self._making()
        self._wiring()
        self.widget = self._layout()
        session.listen(self._hear)
        self._renew()

    # What there is

    def _making(self) -> None:
        learner, live = self.session.learner, self.session.live
        wide = widgets.Layout(width="auto", flex="1 1 240px")
        self.log, self.detail, self.status = (widgets.HTML() for _ in range(3))
        self.line = widgets.Text(placeholder="Tell it something, or ask about it", layout=wide)
        self.line.layout.margin = "2px 0"
        self.send = _button("Send", "Reply, and learn what is stated (Enter)", style="primary")
        self.ask = _button("Ask", "Reply, and learn nothing")
        self.teach = _button("Teach", "Learn the line at its word")
        self.stop = _button("Stop", "Break off the reply")
        self.why = _button("Why?", "Where the last reply came from")
        self.refuse = _button("Not about that", "The fact that opened was not asked for")
        self.compare = _button("Compare", "Answers before and after teaching")
        self.undo = _button("Undo", "Take back the last lesson")
        self.pause = widgets.ToggleButton(
            description="Pause learning", tooltip="Note what is told and learn it later"
        )
        self.pause.layout.width = "auto"
        self.facts = widgets.Select(rows=6, layout=widgets.Layout(width="auto"))
        self.forget = _button("Forget", "Erase the chosen fact from every file")
        self.correct = _button("Correct", "Replace the chosen fact by what the line says")
        self.plots = widgets.Image(format="png", layout=widgets.Layout(width="100%"))
        self.rate = widgets.FloatLogSlider(
            learner.facts.learning.lr, min=-5, max=-1, description="rate", readout_format=".1e"
        )
        self.gate = widgets.FloatSlider(
            learner.facts.gate.threshold, min=0.0, max=1.0, step=0.01, description="gate"
        )
        for slider in (self.rate, self.gate):
            slider.continuous_update = False
        self.recipe = widgets.Dropdown(
            options=list(self.session.recipes), value=self.session.recipe, description="recipe"
        )
        self.name = widgets.Combobox(placeholder="name", description="save", ensure_option=False)
        self.save, self.load = _button("Save", "Keep the facts"), _button("Load", "Go back to them")
        self.reset = _button("Reset…", "Begin anew; press twice")
        self._shown = live.shown_messages

    def _layout(self) -> widgets.VBox:
        row = {"display": "flex", "flex_flow": "row wrap", "align_items": "center"}

        def box(*children: widgets.Widget) -> widgets.HBox:
            return widgets.HBox(children, layout=widgets.Layout(**row))

        talk = [
            self.log,
            box(self.line, self.send, self.ask, self.teach, self.stop),
            box(self.why, self.refuse, self.compare, self.undo, self.pause),
            self.status,
            self.detail,
        ]
        watch = [
            widgets.HTML("<b>What it knows</b>"),
            self.facts,
            box(self.forget, self.correct),
            self.plots,
            box(self.recipe, self.rate, self.gate),
            box(self.name, self.save, self.load, self.reset),
        ]
        column = {"min_width": "0", "padding": "0 8px"}
        left = widgets.VBox(talk, layout=widgets.Layout(flex="3 1 440px", **column))
        right = widgets.VBox(watch, layout=widgets.Layout(flex="2 1 360px", **column))
        both = widgets.HBox([left, right], layout=widgets.Layout(flex_flow="row wrap"))
        return widgets.VBox([widgets.HTML(views.STYLE), both])

    def _wiring(self) -> None:
        session = self.session
        with warnings.catch_warnings():  # nothing else tells Enter from leaving the field
            warnings.simplefilter("ignore", DeprecationWarning)
            self.line.on_submit(lambda _: self._speak(session.say))
        self.send.on_click(lambda _: self._speak(session.say))
        self.ask.on_click(lambda _: self._speak(session.ask))
        self.teach.on_click(lambda _: self._with_line(session.teach))
        self.stop.on_click(lambda _: session.stop())
        self.why.on_click(lambda _: self._do(self._explain))
        self.refuse.on_click(lambda _: self._do(session.refuse))
        self.compare.on_click(lambda _: self._do(self._compare))
        self.undo.on_click(lambda _: self._do(self._undo))
        self.pause.observe(self._pause, "value")
        self.forget.on_click(lambda _: self._do(lambda: session.forget(self._chosen())))
        self.correct.on_click(
            lambda _: self._with_line(lambda text: session.correct(self._chosen(), text))
        )
        self.save.on_click(lambda _: self._do(lambda: session.save(self.name.value)))
        self.load.on_click(lambda _: self._do(lambda: session.load(self.name.value)))
        self.reset.on_click(lambda _: self._reset())
        self.rate.observe(lambda change: self._adjust(lr=change["new"]), "value")
        self.gate.observe(lambda change: self._adjust(threshold=change["new"]), "value")
        self.recipe.observe(lambda change: self._do(lambda: self._use(change["new"])), "value")

    # What it does

    def _do(self, action: Callable[[], object], done: str = "") -> None:
        """Act on the panel's thread; what goes wrong is said in the panel."""

        def act() -> None:
            self.status.value = views.status("working…")
            try:
                action()
                if self.status.value == views.status("working…"):
                    self.status.value = views.status(done)
            except Exception as error:
                self.status.value = views.status(str(error) or repr(error), failed=True)
            self._renew()

        self._actions.submit(act)

    def _with_line(self, action: Callable[[str], object]) -> None:
        """Act on what the line says; it is emptied once that has worked."""

        def act() -> None:
            text = self._settled_line()
            action(text)
            if self.line.value == text:
                self.line.value = ""

        self._do(act)

    def _settled_line(self) -> str:
        """The line once its last letters are here: a page sends them when it has time, and a
        press of Enter or of a button overtakes them.
        """
        text = None
        while text != self.line.value:
            text = self.line.value
            time.sleep(self.session.live.settle_seconds)
        return text

    def _speak(self, answer: Callable[..., object]) -> None:
        said: list[str] = []

        def hear(piece: str) -> None:
            said.append(piece)
            self._show_log("".join(said))

        self._with_line(lambda text: answer(text, hear) if text.strip() else None)

    def _explain(self) -> None:
        self.detail.value = views.explanation(self.session.why())

    def _compare(self) -> None:
        self.detail.value = views.comparison(self.session.compare())

    def _undo(self) -> None:
        taken = self.session.undo()
        words = f"taken back: {' '.join(taken)}" if taken else "there is nothing to take back"
        self.status.value = views.status(words)

    def _pause(self, change: dict[str, bool]) -> None:
        worker = self.session.worker
        if change["new"]:
            worker.pause()
        else:
            worker.go_on()
        self.pause.description = "Go on learning" if change["new"] else "Pause learning"

    def _chosen(self) -> str:
        return self.facts.value or ""

    def _adjust(self, **values: float) -> None:
        self._do(lambda: self.session.adjust(**values))

    def _use(self, recipe: str) -> None:
        if recipe != self.session.recipe:
            self.session.use(recipe)
            section = self.session.learner.facts
            self.rate.value, self.gate.value = section.learning.lr, section.gate.threshold

    def _reset(self) -> None:
        """Pressed twice, everything goes."""
        if self.reset.button_style:
            self.reset.button_style, self.reset.description = "", "Reset…"
            self._do(self.session.reset)
        else:
            self.reset.button_style, self.reset.description = "danger", "Really reset"

    # What it shows

    def _hear(self, record: StepRecord) -> None:
        if record.event == "failed":
            self.status.value = views.status(str(record.values["message"]), failed=True)
        elif record.event == "fact":
            self.status.value = views.status(f"took as a fact: {record.values['statement']}")
        elif record.event in _ACTS:
            self.status.value = views.status(_ACTS[record.event])
        due = time.monotonic() - self._drawn >= self.session.live.plot_seconds
        if record.event == "update" and due:
            self._drawn = time.monotonic()
            self._drawings.submit(self._draw)
        elif record.event in ("measured", "failed"):
            self._drawings.submit(self._renew)

    def _renew(self) -> None:
        """Show everything as it is now."""
        self._show_log()
        facts = [(views.fact_line(fact), fact.id) for fact in self.session.facts()]
        if list(self.facts.options) != facts:
            chosen = self.facts.value
            self.facts.options = facts
            self.facts.value = chosen if chosen in [one for _, one in facts] else None
        self.name.options = self.session.stores.names()
        self._draw()

    def _show_log(self, being_said: str | None = None) -> None:
        messages = self.session.conversation.messages(self._shown)
        known = {fact_id: line for line, fact_id in self.facts.options}
        self.log.value = views.log(messages, known, being_said)

    def _draw(self) -> None:
        self.plots.value = plot_session(self.session.measures.records())._repr_png_()

    def close(self) -> None:
        """Finish what is being done, and let others open the session's folder."""
        self.wait()
        self._actions.shutdown()
        self._drawings.shutdown()
        self.session.close()

    def _repr_mimebundle_(self, **options: object) -> object:
        return self.widget._repr_mimebundle_(**options)  # so that a cell shows it

    def wait(self) -> None:
        """Return when every button is done, every lesson learned and everything drawn."""
        self._actions.submit(lambda: None).result()
        self.session.wait()
        self._drawings.submit(lambda: None).result()
