"""Pieces of the panel as HTML; all text of people and models is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fledgling.core.records import Fact
from fledgling.facts.placements import BASE
from fledgling.live.conversation import Message
from fledgling.live.explaining import Comparison, Explanation
from fledgling.live.texts import markup, shortened

LINE = 70  # characters of a fact where it stands on one line

STYLE = """<style>
.fledgling-log { height: 340px; overflow-y: auto; border: 1px solid #c8ced6; border-radius: 6px;
  padding: 8px; line-height: 1.35; display: flex; flex-direction: column-reverse; }
.fledgling-log > div { display: flex; flex-direction: column; gap: 6px; }
.fledgling-log p { margin: 0; padding: 6px 10px; border-radius: 8px; max-width: 85%;
  overflow-wrap: anywhere; color: #1d2733; }
.fledgling-user { align-self: flex-end; background: #dbe9f6; }
.fledgling-model { align-self: flex-start; background: #eef0f3; }
.fledgling-notice { align-self: center; background: #fbe9e2; }
.fledgling-source { display: block; margin-top: 2px; font-size: 85%; color: #4d5965; }
.fledgling-source.taught { color: #005b41; font-weight: 600; }
.fledgling-status { min-height: 1.4em; padding: 2px 4px; }
.fledgling-failed { color: #a8320a; font-weight: 600; }
.fledgling-detail { width: 100%; border-collapse: collapse; line-height: 1.35; }
.fledgling-detail td, .fledgling-detail th { text-align: left; vertical-align: top;
  padding: 3px 8px; border-top: 1px solid #d8dde3; overflow-wrap: anywhere; }
</style>"""


def log(
    messages: Sequence[Message], known: Mapping[str, str], being_said: str | None = None
) -> str:
    """The conversation, newest at the bottom, where it stays scrolled to. ``known``: fact id → its
    line. ``being_said`` is a reply that is not over.
    """
    lines = [_line(message, known) for message in messages]
    if being_said is not None:
        lines.append(f'<p class="fledgling-model">{markup(being_said)}▌</p>')
    if not lines:
        lines.append('<p class="fledgling-notice">Tell it something: My bike is red.</p>')
    kind = 'class="fledgling-log" role="log" aria-live="polite" tabindex="0"'
    return f"<div {kind}><div>{''.join(lines)}</div></div>"


def _line(message: Message, known: Mapping[str, str]) -> str:
    source = ""
    if message.role == "model":
        taught = message.source != BASE
        about = known.get(message.nearest or "", "") or message.source
        chance = f" ({message.probability:.2f})" if message.nearest else ""
        words = f"from: {about}{chance}" if taught else "from: the base"
        kind = "fledgling-source taught" if taught else "fledgling-source"
        source = f'<span class="{kind}">{markup(words)}</span>'
    return f'<p class="fledgling-{message.role}">{markup(message.text) or "…"}{source}</p>'


def status(text: str, *, failed: bool = False) -> str:
    """The line that says what goes on."""
    kind = "fledgling-status fledgling-failed" if failed else "fledgling-status"
    return f'<div class="{kind}" role="status" aria-live="polite">{markup(text)}</div>'


def explanation(explained: Explanation) -> str:
    """Where a reply came from, as a table."""
    return _table([], explained.lines())


def comparison(rows: Sequence[Comparison]) -> str:
    """Answers before and after teaching, as a table."""
    head = ["", "question", "before", "now"]
    return _table(head, [(row.kind, row.question, row.before, row.after) for row in rows])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{markup(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{markup(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<table class="fledgling-detail"><tr>{top}</tr>{body}</table>'


def fact_line(fact: Fact) -> str:
    """A fact on one line; a correction with its question."""
    asked = f"{fact.question} " if fact.question else ""
    return shortened(asked + fact.statement, LINE)


def answers(rows: Sequence[tuple[str, str]]) -> str:
    """Who answers what, as a table."""
    return _table(["who", "answer"], rows)
