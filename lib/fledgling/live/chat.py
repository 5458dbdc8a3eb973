"""The terminal: a line in, a reply streamed out, what was learned told in between.

Everything is plain text before it reaches the screen: nothing that a person or a model wrote can
drive the terminal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fledgling.core.errors import DataError, FledglingError
from fledgling.core.records import StepRecord
from fledgling.live.session import Session
from fledgling.live.texts import plain

HELP = """\
(just type)            talk; what you state is learned after the reply
/teach SENTENCE        learn a sentence at its word;  /teach QUESTION? ANSWER  corrects an answer
/ask QUESTION          ask, and learn nothing
/facts                 what is known
/why                   where the last reply came from, and what the base would have said
/no                    "not about that": the fact that opened has nothing to do with the question
/compare [FACT]        answers before and after teaching
/undo                  take back the last lesson
/forget FACT           erase a fact from every file: its number in /facts, or some of its words
/pause, /go            note what is told and learn it later; go on learning
/stats                 the session in numbers
/save NAME, /load NAME keep the facts under a name; go back to them
/export FILE           write what was taught as rows to train on (JSONL)
/recipe [NAME]         how it learns; each recipe has facts of its own
/reset                 begin anew
/help, /quit"""


class Chat:
    """Reads ``lines`` and shows ``session`` on ``console``; ``is_plain``: no styles, no prompt, for
    pipes.
    """

    def __init__(self, session: Session, console: Console, *, is_plain: bool) -> None:
        self.session, self.console, self.is_plain = session, console, is_plain
        self.failed = False  # whether the last line was refused
        self._screen = threading.RLock()  # what is learned is told from a thread of its own
        self._told: list[str] = []  # until the reply that is being said is over
        self._saying = False
        self.commands: dict[str, Callable[[str], None]] = {
            "ask": self._ask,
            "teach": self._teach,
            "facts": self._facts,
            "why": self._why,
            "no": self._no,
            "compare": self._compare,
            "undo": self._undo,
            "forget": self._forget,
            "pause": self._pause,
            "go": self._go,
            "stats": self._stats,
            "save": self._save,
            "load": self._load,
            "export": self._export,
            "recipe": self._recipe,
            "reset": self._reset,
            "help": lambda _: self._show(HELP),
        }
        session.listen(self._hear)

    def run(self, lines: Iterator[str]) -> None:
        """Until the lines end, or one says /quit. Ctrl-C breaks off what is being said."""
        for line in lines:
            if line.strip() in ("/quit", "/exit"):
                return
            try:
                self.take(line)
            except KeyboardInterrupt:
                self.session.stop()
                self._show("\nbroken off; what you told is learned all the same", "yellow")
            if self.is_plain:
                self.session.wait()  # each line of a pipe sees what the ones before it taught

    def take(self, line: str) -> None:
        """Do what one line says; an error is one line on the screen."""
        self.failed = False
        line = line.strip()
        if not line:
            return
        try:
            if line.startswith("/"):
                name, _, rest = line[1:].partition(" ")
                self._command(name)(rest.strip())
            else:
                self._speak(self.session.say, line)
        except FledglingError as error:
            self.failed = True
            self._show(f"error: {error}", "red")

    def _command(self, name: str) -> Callable[[str], None]:
        if name not in self.commands:
            known = " ".join(f"/{command}" for command in self.commands)
            raise DataError(f"there is no command /{name[:20]}; there are: {known} /quit")
        return self.commands[name]

    def _show(self, text: str, style: str = "") -> None:
        with self._screen:
            self.console.print(Text(plain(text), style="" if self.is_plain else style))

    def _speak(self, answer: Callable[[str, Callable[[str], None]], object], text: str) -> None:
        with self._screen:
            self._saying = True
        try:
            answer(text, self._piece)
        finally:
            with self._screen:
                self.console.print()
                self._saying = False
                told, self._told = self._told, []
        for one in told:
            self._show(one, "dim")

    def _piece(self, piece: str) -> None:
        with self._screen:
            self.console.print(Text(plain(piece)), end="", soft_wrap=True)

    def _hear(self, record: StepRecord) -> None:
        """What the lessons do, told on lines of their own."""
        told = {
            "fact": lambda values: f"(took as a fact: {values['statement']})",
            "remembered": lambda _: "(learned)",
            "given_up": lambda values: f"(not learned: {values['reason']})",
            "failed": lambda values: f"(failed: {values['message']})",
        }
        if record.event not in told:
            return
        line = told[record.event](record.values)
        with self._screen:
            if self._saying:
                self._told.append(line)
            else:
                self._show(line, "dim")

    # Commands

    def _ask(self, text: str) -> None:
        self._speak(self.session.ask, text)

    def _teach(self, text: str) -> None:
        question, mark, answer = text.partition("?")
        if mark and answer.strip():
            self.session.teach(answer, question=f"{question.strip()}?")
        else:
            self.session.teach(text)

    def _facts(self, _: str) -> None:
        facts = self.session.facts()
        for number, fact in enumerate(facts, start=1):
            asked = f"{fact.question} " if fact.question else ""
            self._show(f"{number}. {asked}{fact.statement}")
        if not facts:
            self._show("nothing yet; tell me something, for example: My bike is red.")

    def _why(self, _: str) -> None:
        for what, value in self.session.why().lines():
            self._show(f"{what}: {value}")

    def _no(self, _: str) -> None:
        reply = self.session.refuse()
        self._show(f"noted: nothing taught is asked for by “{reply.question}”")

    def _compare(self, text: str) -> None:
        table = Table("", "question", "before", "now")
        for row in self.session.compare(text):
            cells = (row.kind, row.question, row.before, row.after)
            if self.is_plain:
                self._show(" | ".join(cells))
            else:
                table.add_row(*(Text(plain(cell)) for cell in cells))
        if not self.is_plain:
            self.console.print(table)

    def _undo(self, _: str) -> None:
        taken = self.session.undo()
        self._show(f"taken back: {' '.join(taken)}" if taken else "there is nothing to take back")

    def _forget(self, text: str) -> None:
        fact = self.session.forget(text)
        self._show(f"forgotten, in every file of this session: {fact.statement}")

    def _pause(self, _: str) -> None:
        self.session.worker.pause()
        self._show("learning is paused; /go goes on")

    def _go(self, _: str) -> None:
        self.session.worker.go_on()
        self._show("learning goes on")

    def _stats(self, _: str) -> None:
        stats = self.session.stats()
        self._show(
            f"recipe {stats.recipe}: {stats.facts} facts, {stats.turns} turns learned from,"
            f" {stats.bytes / 1e6:.1f} MB, {stats.waiting} lessons waiting"
        )

    def _save(self, name: str) -> None:
        self._show(f"saved as {self.session.save(name).stem}")

    def _load(self, name: str) -> None:
        self.session.load(name)
        self._show(f"{len(self.session.facts())} facts loaded")

    def _export(self, name: str) -> None:
        if not name:
            raise DataError("/export needs a file, for example: /export taught.jsonl")
        self._show(f"{self.session.export(Path(name).expanduser())} rows in {name}")

    def _recipe(self, name: str) -> None:
        if name:
            self.session.use(name)
        names = ", ".join(self.session.recipes)
        self._show(f"recipe {self.session.recipe}, of: {names}")

    def _reset(self, _: str) -> None:
        self.session.reset()
        self._show("everything is as at the beginning; saves stay")


def typed_lines(commands: list[str], history: Path | None) -> Iterator[str]:
    """Lines from a person: with a history (arrow keys, also of earlier sessions), completion of
    commands by Tab, and room for what lessons tell above the prompt. Ctrl-C clears the line, Ctrl-D
    ends.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.patch_stdout import patch_stdout

    words = WordCompleter([f"/{command}" for command in commands], sentence=True)
    past = FileHistory(str(history)) if history else InMemoryHistory()
    prompt: PromptSession[str] = PromptSession(history=past, completer=words)
    while True:
        try:
            with patch_stdout(raw=True):
                line = prompt.prompt("> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        yield line  # outside: a patched stdout would hold a streamed reply back until its line ends
