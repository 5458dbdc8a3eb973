"""Which fact is meant, and how every trace of it leaves the files of a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fledgling.core.database import transaction
from fledgling.core.errors import DataError
from fledgling.core.files import read_text, write_text
from fledgling.core.records import Fact
from fledgling.core.words import FUNCTION_WORDS
from fledgling.facts.memory import FactMemory
from fledgling.facts.settings import MemorySection
from fledgling.facts.store import FactStore
from fledgling.live.conversation import Told, holds
from fledgling.live.stores import Stores

_SHORTEST_TRACE = 3  # characters: "Al" would take every message with it that says "also"


def find_fact(what: str, facts: Sequence[Fact], told: Sequence[Told]) -> Fact:
    """The fact meant by ``what``: a number in ``facts`` from 1, an id, or some of its words.
    ``told`` are those that were once taught, and may be known no more.

    Raises ``DataError`` when none or more than one is meant.
    """
    gone = [one for one in told if one.fact not in {fact.id for fact in facts}]
    known = [
        *facts,
        *(Fact(one.fact, one.words, one.statement, object=one.object) for one in gone),
    ]
    what = what.strip()
    if what.isdecimal() and 1 <= int(what) <= len(facts):
        return facts[int(what) - 1]
    found = [fact for fact in known if fact.id == what]
    found = found or [fact for fact in known if what and holds(_words(fact), [what])]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DataError(f"no fact {what!r} is known; name one by its number or its words")
    shown = "; ".join(fact.statement for fact in found[:5])
    raise DataError(f"{what!r} could mean {len(found)} facts ({shown}); say more of its words")


def _words(fact: Fact) -> str:
    return "\n".join([fact.text, fact.statement, fact.question or ""])


def traces_of(fact: Fact) -> list[str]:
    """What gives a fact away where it stands in a text: its words, and what it says of its
    subject.
    """
    said = (fact.text, fact.statement, fact.object, fact.turn)
    texts = [text.strip().rstrip(".!?") for text in said]
    return [
        text
        for text in texts
        if len(text) >= _SHORTEST_TRACE and text.casefold() not in FUNCTION_WORDS
    ]


def erase_elsewhere(stores: Stores, fact: Fact, memory: MemorySection, *, keep: str) -> None:
    """Erase a fact from the stores of other recipes and from saves. A save in which facts share
    weights goes as a whole: nothing can be taken out of it.
    """
    for path in stores.others(keep) if stores.folder else ():
        store = FactStore(path)
        try:
            shared = _erase(store, FactMemory(store.connection, memory), fact)
        finally:
            store.close()
        if shared and path.parent == stores.saves:
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()


def _erase(store: FactStore, memory: FactMemory, fact: Fact) -> bool:
    """Returns whether the fact was there, in shared weights: then the others wait to be trained
    anew.
    """
    known = memory.get(fact.id) or memory.same(fact)
    others: list[str] = []
    with transaction(store.connection):
        if known is not None:
            beside = memory.forget(known.id)
            for each in (known.id, *beside):
                store.remove_adapter(each)
            others = [each for each in store.erase_shared(known.id) if each in memory]
        for other in others:
            memory.put(replace(memory.entry(other), trained=False))
    store.scrub()
    return bool(others)


def rewrite_without(path: Path | None, traces: Sequence[str] | None) -> None:
    """Drop the lines of a text file that hold one of ``traces``; None: all lines."""
    if path is None or not path.exists():
        return
    lines = read_text(path).splitlines() if traces is not None else []
    kept = [line for line in lines if not holds(line, traces or ())]
    write_text(path, "".join(f"{line}\n" for line in kept))
