"""A conversation as it goes: each user turn judges the reply before it, and a reply that is liked
becomes the better one for the question whose first reply failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl
from fledgling.core.records import Feedback
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.feedback.examples import Message
from fledgling.feedback.exchange import Refused
from fledgling.feedback.judging.judge import Judge
from fledgling.feedback.judging.signals import Exchange
from fledgling.feedback.rows import as_messages, messages


@dataclass
class Listener:
    """Hears one conversation turn by turn. ``keep`` turns before an exchange are stored with it."""

    judge: Judge
    buffer: FeedbackBuffer
    keep: int = 2
    said: list[tuple[str, str]] = field(default_factory=list)
    failed: str = ""

    def hear(self, user: str, reply: str) -> Feedback | None:
        """The user's turn and the reply to it; returns what the turn said of the reply before."""
        feedback = self.react(user)
        self.said.append((user, reply))
        return feedback

    def react(self, user: str | None) -> Feedback | None:
        """Judge the last reply by the user's next turn (None: the user left) and store it; None
        where there is no reply yet.
        """
        if not self.said:
            return None
        prompt, reply = self.said[-1]
        feedback = self.judge.judge([Exchange(prompt, reply, user)])[0]
        self._store(feedback)
        return feedback

    def _store(self, feedback: Feedback) -> None:
        if self.failed and feedback.label == "positive":
            self.buffer.improve(self.failed, feedback.reply)
        key = self.buffer.add(feedback, history=messages(self.said[-1 - self.keep : -1]))
        self.failed = key if feedback.label in ("negative", "correction") else ""


def hear_all(judge: Judge, buffer: FeedbackBuffer, path: Path) -> tuple[int, list[Refused]]:
    """Hear every conversation of a JSONL file, one ``{"messages": […]}`` a line; returns how many
    reactions were read, and the conversations left out.
    """
    heard, refused = 0, []
    for line, value in read_jsonl(path):
        try:
            conversation = as_messages(value.get("messages"), "user")
        except DataError as error:
            refused.append(Refused(line, str(error)))
            continue
        heard += _hear(Listener(judge, buffer), conversation)
    return heard, refused


def _hear(listener: Listener, conversation: Sequence[Message]) -> int:
    """One conversation, system messages aside. A question without a reply teaches nothing; a turn
    without a reply, at its end, still judges the reply before it.
    """
    turns = [message for message in conversation if message["role"] != "system"]
    heard = 0
    for place, message in enumerate(turns):
        if message["role"] != "user":
            continue
        after = turns[place + 1] if place + 1 < len(turns) else None
        if after is not None and after["role"] == "assistant":
            heard += listener.hear(message["content"], after["content"]) is not None
        elif after is None:
            return heard + (listener.react(message["content"]) is not None)
    return heard + (listener.react(None) is not None)
