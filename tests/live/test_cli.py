"""``fledgling consolidate`` on a session that was told something."""

import pytest
from typer.testing import CliRunner

from fledgling.core.errors import DataError
from fledgling.live import cli

SMALL = {"facts.consolidation.adapter.rank": 8, "facts.consolidation.adapter.first_layer": 1}


@pytest.fixture
def run(open_session, monkeypatch, tmp_path):
    folder = tmp_path / "talk"
    monkeypatch.setattr(cli, "open_session", lambda *_, **__: open_session(folder, **SMALL))

    def call(*arguments):
        found = CliRunner().invoke(cli.app, ["consolidate", "-s", str(folder), *arguments])
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found.output

    call.folder = folder
    return call


def told(open_session, folder, *turns):
    session = open_session(folder, **SMALL)
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


def test_a_session_that_is_not_there_is_named(run):
    with pytest.raises(DataError, match="there is no session"):
        run()


def test_a_session_that_was_told_nothing_is_left_as_it_is(run, open_session):
    told(open_session, run.folder)
    with pytest.raises(DataError, match="no fact is remembered"):
        run()
