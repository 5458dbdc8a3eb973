"""Filling question templates: slots that agree with the subject."""

from __future__ import annotations

from fledgling.core.records import Fact
from fledgling.language.grammar import Clause
from fledgling.language.questions import be_of, do_of, inner, whose


def fill(
    template: str, fact: Fact, clause: Clause | None = None, subject: str | None = None
) -> str:
    """Put ``fact`` (or another ``subject``) into a template's slots; the first letter becomes a
    capital.
    """
    who = inner(subject or fact.subject)
    # A replacement holds now, and another subject was never said to have changed.
    keeps_tense = (
        subject is None and clause is not None and clause.past and fact.kind != "replacement"
    )
    be = be_of(who)
    slots = {
        "{subject}": who,
        "{object}": fact.object,
        "{be}": (
            {"is": "was", "am": "was", "are": "were"}[be] if keeps_tense and clause.is_be else be
        ),
        "{do}": "did" if keeps_tense and not clause.is_be else do_of(who),
        "{have}": "has" if do_of(who) == "does" else "have",
        "{whose}": whose(who),
    }
    # Not str.format: an object said by a user may hold braces.
    for slot, value in slots.items():
        template = template.replace(slot, value)
    return template[:1].upper() + template[1:]
