import subprocess
import sys
from pathlib import Path

from fledgling.cli import join_parameters


def test_an_unknown_command_or_option_is_a_usage_error(call, capsys):
    assert call("reprot") == 2
    assert call("report", "--peset", "quick") == 2


def test_help_names_the_commands(call, capsys):
    assert call("--help") == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("report", "sweep", "results", "models"))


def test_ctrl_c_is_exit_code_130(call, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fledgling.reports.results.newest", interrupted)
    monkeypatch.setattr("fledgling.reports.notebooks.find_notebook", lambda name: Path(name))
    assert call("results", "any") == 130
    assert "interrupted" in capsys.readouterr().err


def test_parameters_join_in_both_forms():
    assert join_parameters(["-p", "a", "1", "-p", "b=2", "--parameter", "c", "x=y"]) == [
        "-p",
        "a=1",
        "-p",
        "b=2",
        "--parameter",
        "c=x=y",
    ]
    assert join_parameters(["-p"]) == ["-p"]


def test_importing_the_command_line_is_light():
    code = (
        "import sys, fledgling.cli; print(any(name in sys.modules for name in ('torch',"
        " 'papermill')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        == "False"
    )
