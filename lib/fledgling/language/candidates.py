"""What in a turn may be a fact, before anything judges it: its correction, and its statements."""

from __future__ import annotations

from dataclasses import dataclass

from fledgling.core.records import Turn
from fledgling.language.asking import is_answer
from fledgling.language.clauses import Piece, split_turn
from fledgling.language.corrections import Correction, find_correction, only_objects
from fledgling.language.sentences import mend_apostrophes, split_sentences
from fledgling.language.settings import LanguageSection


@dataclass(frozen=True)
class Candidate:
    """A piece of a turn and what it was said in: the whole ``turn``, after the question ``asked``
    ("" where none was). ``correction`` is set where it corrects something.
    """

    piece: Piece
    turn: str
    asked: str = ""
    correction: Correction | None = None

    @property
    def text(self) -> str:
        """What is judged: the turn as it was said, or of several pieces the one."""
        return (
            self.turn if self.piece.sentence == self.turn == self.piece.said else self.piece.alone
        )


def find_candidates(turn: Turn, section: LanguageSection) -> list[Candidate]:
    """The pieces of ``turn`` in order, at most ``max_pieces``; the first may be a correction.

    Only ``max_characters`` times ``max_facts`` characters are read, and no sentence longer than
    ``max_characters``, so that a turn of any length costs bounded time.
    """
    # Cut before anything searches it: the cost of a turn must not grow with what is pasted in.
    text = mend_apostrophes(turn.text[: section.max_characters * section.max_facts].strip())
    asked = (turn.previous_question or "").strip()
    sentences = [item for item in split_sentences(text) if len(item) <= section.max_characters]
    if not sentences:
        return []
    found = []
    opening, rest = _opening(sentences)
    correction = find_correction(opening, asked, section)
    if correction is not None and (not asked or is_answer(asked, correction.answer)):
        found.append(Candidate(Piece(opening, correction.said, opening), text, asked, correction))
        sentences = rest
    found += [Candidate(piece, text, asked) for piece in split_turn(sentences)]
    return found[: section.max_pieces]


def _opening(sentences: list[str]) -> tuple[str, list[str]]:
    """The first sentence and the others; "That's wrong." and what follows it belong together."""
    if len(sentences) > 1 and only_objects(sentences[0]):
        return f"{sentences[0]} {sentences[1]}", sentences[2:]
    return sentences[0], sentences[1:]
