"""The session, without any widget: every action, and what may go wrong."""

import json
import threading

import pytest

from fledgling.core.errors import ConfigError, DataError
from fledgling.facts.gate.gate import Route
from fledgling.facts.placements import BASE

FACT = "Mirela lives in Trondheim."
QUESTION = "Where does Mirela live?"


def tell(session, *texts):
    for text in texts:
        session.say(text)
    session.wait()


def statements(session):
    return [fact.statement for fact in session.facts()]


def test_a_turn_is_answered_and_then_learned(open_session):
    session, pieces, records = open_session(), [], []
    session.listen(records.append)
    reply = session.say(FACT, pieces.append)
    assert "".join(pieces) == reply.text and reply.source == BASE
    session.wait()
    assert statements(session) == [FACT]
    events = [record.event for record in records]
    assert events[0] == "reply" and events.index("fact") < events.index("update")
    assert events[-3:] == ["remembered", "turn", "measured"]
    assert session.ask(QUESTION).source == session.facts()[0].id


def test_the_streamed_reply_is_what_the_learner_answers(open_session):
    session = open_session()
    tell(session, FACT)
    for question in (QUESTION, "What is the capital of France?"):
        whole = session.learner.answer([question], max_new_tokens=session.live.reply_tokens)
        assert session.ask(question).text == whole[0].text


def test_asking_teaches_nothing_and_teaching_takes_anything_at_its_word(open_session):
    session = open_session()
    session.ask(FACT)
    session.wait()
    assert session.facts() == []
    session.teach("Blue, as ever, those wide northern evenings.")
    session.wait()
    assert len(session.facts()) == 1


def test_what_is_said_is_judged_as_the_lesson_judges_it(open_session):
    class Sure:
        """Takes what the rules do not understand for a statement."""

        def chances(self, candidates):
            return [0.99 * ("Tea" in candidate.text) for candidate in candidates]

    said = "Tea for my wife!"
    session = open_session()
    tell(session, said)
    assert session.facts() == []
    session.learner.judge = Sure()
    tell(session, said, "Thanks, that was quick.")
    assert statements(session) == ["Tea for your wife."]


def test_what_was_learned_is_told_with_its_words(open_session):
    session = open_session()
    tell(session, f"By the way, {FACT}")
    session.ask(QUESTION)
    explained = session.why()
    assert explained.fact == FACT and FACT in explained.told.words
    assert explained.reply.probability >= session.learner.facts.gate.threshold
    assert explained.base == session.learner.base_answer([QUESTION], max_new_tokens=6)[0]
    shown = dict(explained.lines())
    assert FACT in shown["answered by"] and FACT in shown["taught"]


def test_a_reply_of_the_base_names_the_nearest_fact_that_was_not_opened(open_session):
    session = open_session()
    tell(session, FACT)
    session.ask("Who lives next door, and where does the cat sleep?")
    explained = session.why()
    assert not explained.opened and explained.fact == FACT
    assert "no fact was opened" in dict(explained.lines())["answered by"]


def test_why_names_every_fact_that_a_question_was_led_through(open_session, monkeypatch):
    session = open_session()
    tell(session, "Tom is my friend.", FACT)
    tom, mirela = (fact.id for fact in session.facts())
    route = Route(mirela, 0.9, mirela, via=(tom,), asked=QUESTION)
    monkeypatch.setattr(session.learner.gate, "route", lambda questions: [route] * len(questions))
    session.ask("Where does Tom's friend live?")
    assert session.why().fact == f"Tom is your friend. {FACT}"


def test_undo_takes_back_the_last_lesson_also_after_questions(open_session):
    session = open_session()
    before = session.ask(QUESTION).text
    tell(session, "Tom is my friend.", FACT)
    session.ask(QUESTION)
    assert session.undo() == [FACT]
    assert statements(session) == ["Tom is your friend."]
    assert session.ask(QUESTION).text == before
    assert session.undo() == []


def test_what_was_misread_is_corrected(open_session):
    session = open_session()
    tell(session, FACT)
    assert session.correct("1", "Mirela lives in Bergen.").statement == FACT
    session.wait()
    assert statements(session) == ["Mirela lives in Bergen."]


def test_a_correction_in_passing_is_read_with_the_question_before_it(open_session):
    session = open_session()
    session.ask(QUESTION)
    tell(session, "No, she lives in Bergen.")
    (fact,) = session.facts()
    assert fact.question == QUESTION and "Bergen" in fact.statement


def test_not_about_that_is_kept_to_also_after_reopening(open_session, tmp_path):
    session = open_session(tmp_path)
    tell(session, FACT)
    question = "What of Mirela and Trondheim?"
    assert session.ask(question).source != BASE
    session.refuse()
    assert session.ask(question).source == BASE and session.ask(QUESTION).source != BASE
    session.close()
    again = open_session(tmp_path)
    assert again.ask(question).source == BASE and again.ask(QUESTION).source != BASE
    again.undo()


def test_a_reply_of_the_base_cannot_be_refused(open_session):
    session = open_session()
    tell(session, FACT)
    session.ask("Why is the sky blue?")
    with pytest.raises(DataError, match="no fact gave this reply"):
        session.refuse()


def test_another_refusal_does_not_open_what_the_gate_keeps_closed(open_session):
    session = open_session()
    tell(session, FACT, "Tom lives in Oslo.")
    session.ask("What of Mirela and Trondheim?")
    session.refuse()
    assert session.ask("Where does Tom live?").source != BASE


def test_pausing_notes_what_is_told_and_going_on_learns_it(open_session):
    session = open_session()
    session.worker.pause()
    tell(session, FACT)
    assert session.facts() == [] and session.stats().waiting == 1
    session.worker.go_on()
    session.wait()
    assert statements(session) == [FACT] and session.stats().waiting == 0


def test_a_lesson_that_was_not_finished_is_taken_up_again(open_session, tmp_path):
    session = open_session(tmp_path)
    session.worker.pause()
    tell(session, FACT)
    session.close()
    again = open_session(tmp_path)
    again.wait()
    assert statements(again) == [FACT]
    again.close()
    third = open_session(tmp_path)
    third.wait()
    assert third.learner.memory.entries()[0].count == 1  # and not twice


def test_everything_is_there_again_after_reopening(open_session, tmp_path):
    session = open_session(tmp_path)
    tell(session, FACT)
    said = session.ask(QUESTION)
    session.close()
    again = open_session(tmp_path)
    assert [message.text for message in again.conversation.messages(1)] == [said.text]
    assert again.why().told.words == FACT
    assert again.ask(QUESTION).text == said.text
    assert again.undo() == [FACT]


def test_saves_are_loaded_and_others_refused(open_session, tmp_path):
    session = open_session(tmp_path, recipes=("default", "shared"))
    tell(session, FACT)
    session.save("one")
    tell(session, "Tom is my friend.")
    session.load("one")
    assert statements(session) == [FACT] and session.ask(QUESTION).source != BASE
    with pytest.raises(DataError, match=r"no save 'two'; there are: one"):
        session.load("two")
    session.use("shared")
    with pytest.raises(DataError, match="placement"):
        session.load("one")
    tell(session, FACT)  # still works
    assert session.ask(QUESTION).source == "shared"


def test_a_session_that_keeps_nothing_says_so(open_session):
    with pytest.raises(DataError, match="keeps nothing"):
        open_session().save("one")


def test_each_recipe_has_its_own_facts(open_session, tmp_path):
    session = open_session(tmp_path, recipes=("default", "in_context"))
    tell(session, FACT)
    session.use("in_context")
    assert session.facts() == []
    tell(session, "Tom is my friend.")
    assert session.ask("Who is Tom?").source == "prompt"
    assert "prompt" in dict(session.why().lines())["answered by"]
    session.use("default")
    assert statements(session) == [FACT]
    with pytest.raises(DataError, match="not known here"):
        session.use("magic")


def test_reset_begins_anew_and_keeps_saves(open_session, tmp_path):
    session = open_session(tmp_path)
    tell(session, FACT)
    session.save("one")
    session.reset()
    assert session.facts() == [] and session.conversation.messages(9) == []
    session.load("one")
    assert statements(session) == [FACT]


def test_rate_and_threshold_act_from_the_next_turn_on(open_session):
    session, records = open_session(), []
    tell(session, FACT)
    session.adjust(threshold=1.0)
    assert session.ask("Which town does Mirela like?").source == BASE
    session.adjust(threshold=0.0)
    assert session.ask("Which town does Mirela like?").source != BASE
    session.listen(records.append)
    session.adjust(lr=1e-9)
    tell(session, "Tom lives in Oslo.")
    losses = [record.values["loss"] for record in records if record.event == "update"]
    assert losses[-1] == pytest.approx(losses[0], rel=1e-3)
    with pytest.raises(ConfigError, match="threshold"):
        session.adjust(threshold=2.0)


def test_what_was_taught_becomes_rows_to_train_on(open_session, tmp_path):
    session = open_session()
    tell(session, FACT, "Tom is my friend.")
    count = session.export(tmp_path / "rows.jsonl")
    lines = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == count and {row["output"] for row in rows} == {FACT, "Tom is your friend."}
    assert QUESTION in {row["instruction"] for row in rows}


def test_comparing_shows_what_teaching_changed_and_what_it_did_not(open_session):
    session = open_session()
    tell(session, FACT)
    rows = {row.kind: row for row in session.compare()}
    assert rows["taught"].source == session.facts()[0].id
    assert rows["unrelated"].before == rows["unrelated"].after
    assert rows["rephrased"].question != rows["taught"].question


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * 100_000, "100,000 characters; at most 2,000"),
        ("Tom \x1b[2J lives in Oslo.", "control character"),
        ("Tom lives in \ud800.", "surrogate"),
        ("  \n ", "holds no word"),
    ],
)
def test_what_cannot_be_read_is_refused_and_changes_nothing(open_session, text, reason):
    session = open_session()
    for action in (session.say, session.ask, session.teach):
        with pytest.raises(DataError, match=reason):
            action(text)
    assert session.conversation.messages(9) == [] and session.facts() == []


def test_control_tokens_and_markup_are_text_like_any_other(open_session):
    session = open_session()
    text = "<|im_end|><b>Tom</b> lives in Oslo."
    tell(session, text)
    assert session.conversation.messages(9)[0].text == text
    ids = session.learner.adapted.prompt_ids("<|im_end|>")
    assert ids[0] != session.loaded.tokenizer.eos_token_id


def test_a_folder_is_open_once(open_session, tmp_path):
    open_session(tmp_path)
    with pytest.raises(DataError, match="open in another panel, terminal or notebook"):
        open_session(tmp_path)


def test_facts_of_another_model_are_refused_and_the_folder_stays_usable(open_session, tmp_path):
    session = open_session(tmp_path)
    tell(session, FACT)
    session.close()
    with pytest.raises(DataError, match="belongs to model"):
        open_session(tmp_path, model_seed=1)
    assert statements(open_session(tmp_path)) == [FACT]


def test_a_lesson_that_fails_is_told_and_leaves_everything_as_it_was(open_session, monkeypatch):
    session, records = open_session(), []
    tell(session, FACT)
    session.listen(records.append)

    def fail(*_, **__):
        raise RuntimeError("no memory left")

    monkeypatch.setattr(session.learner.trainer, "step", fail)
    tell(session, "Tom is my friend.")
    assert statements(session) == [FACT]
    assert "no memory left" in session.conversation.messages(1)[0].text
    assert records[-1].event == "failed"
    monkeypatch.undo()
    tell(session, "Tom is my friend.")
    assert len(session.facts()) == 2


def test_a_view_that_fails_takes_no_lesson_with_it(open_session):
    session = open_session()
    session.listen(lambda record: 1 / 0)
    tell(session, FACT)
    assert statements(session) == [FACT]


def test_a_reply_that_is_broken_off_loses_no_fact(open_session):
    session = open_session()

    def interrupt(piece):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.say(FACT, interrupt)
    session.wait()
    assert statements(session) == [FACT]


def test_a_reply_can_be_stopped(open_session):
    session = open_session(**{"live.reply_tokens": 400})
    heard = []

    def stop(piece):
        heard.append(piece)
        session.stop()

    reply = session.ask("Tell me everything.", stop)
    assert reply.text == "".join(heard) and len(heard) == 1


def test_a_reply_between_two_updates_changes_nothing_of_what_is_learned(open_session):
    """The updates, and the answers at the end, are those of a session that nobody interrupted."""
    outcomes = []
    for interrupting in (False, True):
        session, losses, sources = open_session(), [], []
        tell(session, "Tom is my friend.")

        def between(record, losses=losses, sources=sources, session=session, ask=interrupting):
            if record.event == "update":
                losses.append(record.values["loss"])
                if ask:
                    sources.append(session.ask("Who is Tom?").source)

        session.listen(between)
        tell(session, FACT)
        assert len(sources) == (3 if interrupting else 0) and BASE not in sources
        outcomes.append((losses, session.ask(QUESTION).text, session.ask("Who is Tom?").text))
    assert outcomes[0] == outcomes[1]


def test_a_reply_goes_before_the_next_update(open_session):
    session, order = open_session(), []
    started, release = threading.Event(), threading.Event()
    step = session.learner.trainer.step

    def slow(*arguments, **options):
        started.set()
        release.wait(20)
        order.append("update")
        return step(*arguments, **options)

    session.learner.trainer.step = slow
    session.teach(FACT)
    started.wait(20)
    asking = threading.Thread(target=lambda: session.ask("Who?", lambda _: order.append("token")))
    asking.start()
    while not session.classroom.turnstile._replies:
        pass  # until the question waits at the turnstile
    release.set()
    asking.join()
    session.wait()
    assert order[:2] == ["update", "token"] and order.count("update") == 3


def test_forgetting_takes_notes_with_it_that_were_not_yet_learned(open_session):
    session = open_session()
    tell(session, FACT)
    session.worker.pause()
    tell(session, f"As I said, {FACT}", "Tom is my friend.")
    session.forget("1")
    session.worker.go_on()
    session.wait()
    assert statements(session) == ["Tom is your friend."]


def test_forgetting_asks_back_where_more_than_one_fact_is_meant(open_session):
    session = open_session()
    tell(session, FACT, "Tom lives in Oslo.")
    with pytest.raises(DataError, match="could mean 2 facts"):
        session.forget("lives in")
    with pytest.raises(DataError, match="no fact 'nobody'"):
        session.forget("nobody")
    assert session.forget("oslo").object == "Oslo"


def written(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def forms(text):
    """A text as it may stand in a file."""
    escaped = json.dumps(text)[1:-1]
    texts = (text, text.lower(), escaped)
    return {form.encode(kind) for form in texts for kind in ("utf-8", "utf-16-le", "utf-16-be")}


@pytest.mark.parametrize("recipe", ["default", "shared", "in_context", "hybrid"])
def test_no_file_of_the_session_holds_a_forgotten_fact(open_session, tmp_path, recipe):
    session = open_session(tmp_path, recipes=(recipe, "always_on"))
    secret = 'My safe\'s code is "Zürich-4711".'
    tell(session, FACT)
    session.teach(secret)
    session.ask("What is my safe's code?")
    session.wait()
    if (
        session.why().opened and session.why().fact
    ):  # a prompt holds all facts, and none of them can be refused
        session.refuse()
    session.save("kept")
    session.use("always_on")
    session.teach(secret)
    session.wait()
    session.use(recipe)
    session.undo()
    session.teach(secret)  # once taken back, once again told
    session.wait()
    session.stores.history.write_text(f"/teach {secret}\n/facts\n", encoding="utf-8")
    traces = [form for text in (secret, "Zürich-4711") for form in forms(text)]
    before = b"".join(written(tmp_path).values())
    assert any(trace in before for trace in traces)  # else the search below finds nothing anyway
    adapters = session.learner.store.connection.execute("SELECT id, weights FROM adapters")
    weights = [bytes(row["weights"])[-400:] for row in adapters if row["id"] != fact_of(session)]

    session.forget("Zürich")
    session.wait()
    for _ in range(2):  # while it is open, and once it is closed
        for path, content in written(tmp_path).items():
            assert not [trace for trace in traces if trace in content], path
            assert not [tail for tail in weights if tail in content], path
        session.close()
    again = open_session(tmp_path, recipes=(recipe, "always_on"))
    again.wait()
    assert statements(again) == [FACT]
    again.use("always_on")
    again.wait()
    assert again.facts() == []


@pytest.mark.parametrize("recipe", ["default", "shared", "reader"])
def test_what_was_told_beside_a_forgotten_fact_stays_without_it(open_session, tmp_path, recipe):
    session = open_session(tmp_path, recipes=(recipe,))
    tell(session, "So that is settled, Lena lives in Zyrgrad. My sister keeps seven bees.")
    assert [bool(fact.turn) for fact in session.facts()] == [True, True]
    assert any(b"Zyrgrad" in content for content in written(tmp_path).values())
    session.forget("Zyrgrad")
    session.wait()
    assert statements(session) == ["Your sister keeps seven bees."]
    entries = session.learner.memory.entries()
    assert [entry.fact.turn for entry in entries] == [""]
    assert recipe == "reader" or [entry.trained for entry in entries] == [True]
    for path, content in written(tmp_path).items():
        assert b"Zyrgrad" not in content, path


def fact_of(session):
    return next(fact.id for fact in session.facts() if fact.statement == FACT)
