"""``fledgling consolidate`` on a session that was told something."""

import pytest
from typer.testing import CliRunner

from fledgling.core.errors import DataError
from fledgling.live import cli

RECIPES = ("default", "consolidated")
SMALL = {"facts.consolidation.adapter.rank": 8, "facts.consolidation.adapter.first_layer": 1}


@pytest.fixture
def run(open_session, monkeypatch, tmp_path):
    folder = tmp_path / "talk"
    monkeypatch.setattr(cli, "open_session", lambda *_, **__: opened())

    def opened():
        return open_session(folder, recipes=RECIPES, **SMALL)

    def call(*arguments):
        found = CliRunner().invoke(cli.app, ["consolidate", "-s", str(folder), *arguments])
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found.output

    call.folder = folder
    return call


def told(open_session, folder, *turns):
    session = open_session(folder, recipes=RECIPES, **SMALL)
    for turn in turns:
        session.teach(turn)
    session.worker.wait()
    session.close()


def test_a_session_is_consolidated_and_taken_back(run, open_session):
    told(open_session, run.folder, "Tom is my friend.", "Lena lives in Oslo.")
    assert "2 facts are in one adapter" in run()
    assert "own adapter again" in run("--undo")
    with pytest.raises(DataError, match="none to take back"):
        run("--undo")


def test_its_facts_are_told_to_the_recipe_that_merges_and_stay_where_they_were(run, open_session):
    told(open_session, run.folder, "Tom is my friend.", "Lena lives in Oslo.")
    assert "--recipe consolidated" in run()
    session = open_session(run.folder, recipes=RECIPES, **SMALL)
    mine = {fact.statement for fact in session.learner.memory.all()}
    assert session.learner.store.folded() == []
    session.use("consolidated")
    assert {fact.statement for fact in session.learner.memory.all()} == mine
    assert len(session.learner.store.folded()) == 2


def test_what_was_forgotten_or_corrected_since_is_in_no_adapter_the_next_time(run, open_session):
    told(open_session, run.folder, "Tom is my friend.", "Lena lives in Oslo.", "Ann is a judge.")
    run()
    session = open_session(run.folder, recipes=RECIPES, **SMALL)
    (gone,) = [each for each in session.learner.memory.all() if "Ann" in each.statement]
    with session.classroom.settled() as learner, learner.turn():
        learner.forget(gone.id)
    session.teach("Lena lives in Bergen.")
    session.worker.wait()
    session.close()
    assert "2 facts are in one adapter" in run()
    session = open_session(run.folder, recipes=RECIPES, **SMALL)
    session.use("consolidated")
    known = " ".join(fact.statement for fact in session.learner.memory.all())
    assert "Bergen" in known and "Oslo" not in known and "Ann" not in known
    assert gone.id not in session.learner.store.folded()


def test_a_session_that_is_not_there_is_named(run):
    with pytest.raises(DataError, match="there is no session"):
        run()


def test_a_session_that_was_told_nothing_is_left_as_it_is(run, open_session):
    told(open_session, run.folder)
    with pytest.raises(DataError, match="no fact is remembered"):
        run()
