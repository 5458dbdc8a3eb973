"""``fledgling consolidate`` on a session that was told something."""

import pytest
from typer.testing import CliRunner

from fledgling.core.errors import DataError
from fledgling.live import cli

RECIPES = ("default", "consolidated", "shared", "in_context")
SMALL = {"facts.consolidation.adapter.rank": 8, "facts.consolidation.adapter.first_layer": 1}


@pytest.fixture
def run(open_session, monkeypatch, tmp_path):
    folder = tmp_path / "talk"
    monkeypatch.setattr(cli, "open_session", lambda _, recipe, *__: opened(recipe))

    def opened(recipe):
        return open_session(folder, recipes=RECIPES, recipe=recipe, **SMALL)

    def call(*arguments):
        found = CliRunner().invoke(cli.app, ["consolidate", "-s", str(folder), *arguments])
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found.output

    call.folder = folder
    return call


def told(open_session, folder, *turns, recipe="default"):
    session = open_session(folder, recipes=RECIPES, recipe=recipe, **SMALL)
    for turn in turns:
        session.teach(turn)
    session.worker.wait()
    session.close()


def test_a_session_is_consolidated_and_taken_back(run, open_session):
    told(open_session, run.folder, "Tom is my friend.", "Lena lives in Oslo.")
    assert "2 facts are in one prefix" in run()
    assert "own weights again" in run("--undo")
    with pytest.raises(DataError, match="none to take back"):
        run("--undo")


@pytest.mark.parametrize("recipe", ["shared", "in_context"])
def test_facts_without_weights_of_their_own_are_told_to_the_recipe_that_merges(
    run, open_session, recipe
):
    told(open_session, run.folder, "Tom is my friend.", "Lena lives in Oslo.", recipe=recipe)
    assert "--recipe consolidated" in run("--recipe", recipe)
    session = open_session(run.folder, recipes=RECIPES, **SMALL)
    assert session.learner.memory.all() == []
    session.use("consolidated")
    assert len(session.learner.store.folded()) == 2
    session.use(recipe)
    assert len(session.learner.memory.all()) == 2 and session.learner.store.folded() == []


def test_what_was_forgotten_or_corrected_since_has_no_part_in_the_next_one(run, open_session):
    told(open_session, run.folder, "Tom is my friend.", "Lena lives in Oslo.", recipe="shared")
    run("--recipe", "shared")
    session = open_session(run.folder, recipes=RECIPES, recipe="shared", **SMALL)
    session.forget("Tom is your friend.")
    session.teach("Lena lives in Bergen.")
    session.worker.wait()
    session.close()
    assert "1 fact is in one prefix" in run("--recipe", "shared")
    session = open_session(run.folder, recipes=RECIPES, recipe="consolidated", **SMALL)
    (fact,) = session.learner.memory.all()
    assert "Bergen" in fact.statement and session.learner.store.folded() == [fact.id]


def test_a_session_that_is_not_there_is_named(run):
    with pytest.raises(DataError, match="there is no session"):
        run()


def test_a_session_that_was_told_nothing_is_left_as_it_is(run, open_session):
    told(open_session, run.folder)
    with pytest.raises(DataError, match="no fact is remembered"):
        run()
