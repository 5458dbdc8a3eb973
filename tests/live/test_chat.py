"""The terminal chat: lines in, lines out."""

import io

import pytest
from rich.console import Console

from fledgling.live.chat import HELP, Chat

FACT = "Mirela lives in Trondheim."


@pytest.fixture
def talk(open_session, tmp_path):
    """``talk(*lines)``: what the screen shows, of one session."""
    session = open_session(tmp_path, recipes=("default", "in_context"))

    def run(*lines, is_plain=True):
        screen = io.StringIO()
        console = Console(file=screen, highlight=False, soft_wrap=True, force_terminal=not is_plain)
        Chat(session, console, is_plain=is_plain).run(iter(lines))
        session._listeners = session.classroom._listeners = []
        return screen.getvalue()

    run.session = session
    return run


def test_what_is_told_is_learned_and_where_an_answer_came_from_is_said(talk):
    shown = talk(FACT, "/ask Where does Mirela live?", "/why")
    assert f"(took as a fact: {FACT})" in shown and "(learned)" in shown
    assert f"answered by: the fact “{FACT}”" in shown and "the base would say:" in shown


def test_teach_facts_undo_and_forget(talk):
    shown = talk(f"/teach {FACT}", "/teach Who wrote Zorb? Ada Wint.", "/facts")
    assert f"1. {FACT}" in shown and "2. Who wrote Zorb? Ada Wint." in shown
    assert "taken back: Ada Wint." in talk("/undo")
    assert FACT in talk("/forget 1")
    assert "nothing yet" in talk("/facts")
    assert "there is nothing to take back" in talk("/undo")


def test_saving_loading_recipes_and_stats(talk):
    shown = talk(f"/teach {FACT}", "/save one", "/recipe in_context", "/facts", "/recipe default")
    assert "saved as one" in shown and "nothing yet" in shown
    assert "1 facts loaded" in talk("/undo", "/load one")
    assert "recipe default: 1 facts" in talk("/stats")


def test_an_unknown_command_and_an_unreadable_line_are_told_and_the_next_line_works(talk):
    shown = talk("/foo", "a\x1b[2Jb", "/load nothing", "/help")
    assert "there is no command /foo" in shown and "control character" in shown
    assert "\x1b" not in shown and "there is no save 'nothing'" in shown
    assert HELP in shown


def test_markup_and_escapes_of_a_model_are_shown_as_text(talk, monkeypatch):
    learner = talk.session.learner
    monkeypatch.setattr(learner, "stream", lambda *_, **__: (x for x in ["[red]\x1b[31m", "<b>"]))
    assert "[red]\ufffd[31m<b>" in talk("/ask Who?")


def test_ctrl_c_breaks_off_the_reply_and_loses_nothing(talk, monkeypatch):
    console = Console(file=io.StringIO(), soft_wrap=True)
    chat = Chat(talk.session, console, is_plain=True)

    def interrupt(piece):
        raise KeyboardInterrupt

    monkeypatch.setattr(chat, "_piece", interrupt)
    chat.run(iter([FACT]))
    assert "broken off" in console.file.getvalue()
    assert [fact.statement for fact in talk.session.facts()] == [FACT]


def test_every_command_is_in_the_help(talk):
    chat = Chat(talk.session, Console(file=io.StringIO()), is_plain=True)
    assert [name for name in chat.commands if f"/{name}" not in HELP] == []
