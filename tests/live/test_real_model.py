"""``fledgling chat`` on the real model, through a pipe."""

import subprocess
import sys

import pytest

LINES = """\
Mirela lives in Trondheim.
/ask In which city would I find Mirela?
/why
/undo
/ask In which city would I find Mirela?
"""


@pytest.mark.model
def test_a_pipe_teaches_asks_and_takes_back(tmp_path):
    command = [sys.executable, "-m", "fledgling", "chat", "--plain", "--preset", "quick"]
    run = subprocess.run(
        [*command, "--session", f"{tmp_path}/talk"],
        input=LINES,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr
    taught, _, undone = run.stdout.partition("taken back: Mirela lives in Trondheim.")
    assert "(took as a fact: Mirela lives in Trondheim.)" in taught
    assert "answered by: the fact “Mirela lives in Trondheim.”" in taught
    answer = taught.partition("(learned)")[2].partition("question:")[0]
    assert "Trondheim" in answer and "Trondheim" not in undone
    assert "\x1b" not in run.stdout


@pytest.mark.model
def test_a_line_that_cannot_be_read_is_an_error_for_the_shell(tmp_path):
    command = [sys.executable, "-m", "fledgling", "chat", "--plain", "--temporary"]
    run = subprocess.run(
        command, input="/load nothing\n", capture_output=True, text=True, timeout=900
    )
    assert run.returncode == 1 and "keeps nothing" in run.stdout
