"""A conversation as it goes: each user turn judges the reply before it, and a reply that is liked
becomes the better one for the question whose first reply failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fledgling.core.records import Feedback
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.feedback.examples import Message
from fledgling.feedback.judging.judge import Judge
from fledgling.feedback.judging.signals import Exchange
from fledgling.feedback.rows import messages


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


def exchanges(conversation: Sequence[Message]) -> Iterator[Exchange]:
    """The exchanges of a conversation in the chat form, system messages aside. One that ends in the
    middle of an exchange loses only that: a question without a reply teaches nothing.
    """
    turns = [message for message in conversation if message["role"] != "system"]
    for place, message in enumerate(turns):
        if message["role"] != "assistant" or place == 0 or turns[place - 1]["role"] != "user":
            continue
        after = turns[place + 1]["content"] if place + 1 < len(turns) else None
        yield Exchange(turns[place - 1]["content"], message["content"], after)
