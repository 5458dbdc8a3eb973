"""The small parts: turnstile, worker, refusals, figures, settings."""

import threading

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.core.records import StepRecord, Turn
from fledgling.facts.learner import GateReaders
from fledgling.live.cli import session_folder
from fledgling.live.figures import plot_session
from fledgling.live.measures import Measures
from fledgling.live.refusals import Refusals
from fledgling.live.texts import check_message, markup, plain
from fledgling.live.turnstile import Turnstile
from fledgling.live.worker import Lesson, Worker
from fledgling.models.tiny import WordEmbedder, WordOverlap


def test_nobody_is_on_the_model_together():
    turnstile, inside, worst = Turnstile(), [], []

    def pass_through(door):
        for _ in range(200):
            with door():
                inside.append(1)
                worst.append(len(inside))
                inside.pop()

    threads = [
        threading.Thread(target=pass_through, args=(door,))
        for door in (turnstile.reply, turnstile.step, turnstile.step)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worst) == 600 and max(worst) == 1


def test_an_error_inside_lets_the_next_one_in():
    turnstile = Turnstile()
    for door in (turnstile.reply, turnstile.step):
        with pytest.raises(ValueError, match="inside"), door():
            raise ValueError("inside")
    with turnstile.step():
        pass


def test_lessons_are_learned_in_order_and_held_ones_later():
    learned = []
    worker = Worker(lambda lesson: learned.append(lesson.turn.text))
    with worker.held():
        for text in "abc":
            worker.add(Lesson(Turn(text)))
        assert learned == []
    worker.wait()
    assert learned == ["a", "b", "c"] and not worker.busy


def test_a_lesson_that_raises_does_not_stop_the_next():
    learned = []

    def learn(lesson):
        if lesson.turn.text == "a":
            raise RuntimeError
        learned.append(lesson.turn.text)

    worker = Worker(learn)
    for text in "ab":
        worker.add(Lesson(Turn(text)))
    worker.wait()
    assert learned == ["b"]


def test_a_refusal_holds_for_nearly_the_same_question_and_for_its_fact_alone():
    refusals = Refusals(GateReaders(WordEmbedder(), WordOverlap()), 0.9)
    fact, other = "Tom lives in Oslo.", "Tom is my friend."
    pairs = [(fact, "Who is Tom?"), (fact, "Who is Tom, please?"), (other, "Who is Tom?")]
    before = refusals.score(pairs)
    refusals.set_all([(fact, "Who is Tom?")])
    assert before[0] > 0 and refusals.score(pairs)[0] == 0.0
    assert refusals.score(pairs)[2] == before[2]
    assert refusals.score([(fact, "Where does Tom live?")])[0] > 0
    refusals.set_all([])
    assert np.array_equal(refusals.score(pairs), before)


def test_the_plots_keep_their_newest_points_and_forget_a_fact():
    measures = Measures(3)
    for number in range(5):
        measures.add(StepRecord(number, "update", "a", {"update": 1, "loss": 1.0}))
    measures.add(
        StepRecord(5, "measured", "", {"retention": {"a": 0.1, "b": 0.9}, "facts": 2, "bytes": 9})
    )
    assert [record.step for record in measures.records()] == [2, 3, 4, 5]
    measures.forget("a")
    assert [record.values.get("retention") for record in measures.records()] == [{"b": 0.9}]


def test_the_title_says_how_many_facts_are_known():
    known = {"retention": {"a": 0.1, "b": 0.9, "c": 0.8}, "facts": 3, "bytes": 2_000_000}
    figure = plot_session([StepRecord(1, "measured", "", known)])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "Known: 2 of the newest 3" in titles and "Memory: 3 facts, 2.0 MB" in titles
    assert plot_session([]).axes[0].texts[0].get_text() == "nothing taught yet"


def test_texts_are_made_safe():
    assert check_message("  Tom lives in Oslo. ", 40) == "Tom lives in Oslo."
    with pytest.raises(DataError, match="41 characters"):
        check_message("x" * 41, 40)
    assert plain("a\u202eb\x9bc\nd") == "a\ufffdb\ufffdc\nd"
    assert markup("<i>\n</i>") == "&lt;i&gt;<br>&lt;/i&gt;"


def test_a_session_is_a_name_or_a_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("FLEDGLING_HOME", str(tmp_path))
    assert session_folder("mine") == tmp_path / "sessions" / "mine"
    assert session_folder(f"{tmp_path}/there") == tmp_path / "there"
