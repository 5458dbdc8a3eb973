import json

import pytest

from fledgling.core.files import read_yaml
from fledgling.core.records import judge
from fledgling.reports.runner import threads_each


@pytest.fixture
def stored(tmp_path, store_run):
    """A reports folder with two runs of one notebook."""
    for run_id, started, value in (
        ("old", "2026-11-20T00:00:00Z", 0.1),
        ("new", "2026-11-21T00:00:00Z", 0.9),
    ):
        verdict = judge("efficacy", ">= 0.5", value).to_json()
        store_run(
            tmp_path,
            "04_online_facts",
            run_id,
            started=started,
            metrics={"efficacy": value, "other [x]": None},
            verdicts=[verdict],
        )
    return tmp_path


def test_results_prints_the_newest_run_as_json(call, stored, capsys):
    assert call("results", "04_online_facts", "--json", "--reports", str(stored)) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == "new"


def test_results_prints_a_table(call, stored, capsys):
    assert call("results", "04_online_facts", "--reports", str(stored)) == 0
    assert "efficacy" in (text := capsys.readouterr().out) and "passed" in text


def test_every_run_is_listed_and_what_cannot_be_read_is_named(call, stored, capsys):
    (stored / "04_online_facts" / "cut").mkdir()
    (stored / "04_online_facts" / "cut" / "results.json").write_text("{", encoding="utf-8")
    assert call("results", "--all", "--reports", str(stored)) == 0
    shown = capsys.readouterr()
    assert shown.out.index("new") < shown.out.index("old") and "1 / 1" in shown.out
    assert "cut" in shown.err and "is not valid JSON" in shown.err
    assert call("results", "--all", "--json", "--reports", str(stored)) == 0
    assert [run["run_id"] for run in json.loads(capsys.readouterr().out)] == ["new", "old"]


def test_results_of_a_notebook_without_runs_says_how_to_make_one(
    call, tmp_path, capsys, write_notebook
):
    path = write_notebook(tmp_path / "nb.ipynb")
    assert call("results", str(path), "--reports", str(tmp_path)) == 1
    assert "fledgling report nb" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report"], "name the notebooks to run, or give --all"),
        (["results"], "name a notebook, or give --all"),
        (["report", "{notebook}", "--jobs", "many"], "is neither auto nor a number"),
        (["report", "{notebook}", "--jobs", "0"], "is neither auto nor a number"),
        (["report", "{notebook}", "-p", "preset", "../presets/quick"], "is not known"),
        (["compare", "nowhere/x", "y"], "there is no run 'nowhere/x'"),
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
        (["sweep", "{notebook}", "-v", "rate=1"], "no parameter 'rate'"),
        (["sweep", "{notebook}", "-v", "facts.adapter.rnk=1"], "did you mean 'facts.adapter.rank'"),
        (["sweep", "{notebook}", "-v", "lr=1", "--save-preset", "../x"], "cannot be the name"),
    ],
)
def test_a_users_mistake_is_one_message_and_exit_code_1(
    call, tmp_path, write_notebook, capsys, arguments, message
):
    notebook = write_notebook(tmp_path / "nb.ipynb", "1")
    filled = [word.format(notebook=notebook, folder=tmp_path) for word in arguments]
    reports = [] if "--reports" in filled else ["--reports", str(tmp_path / "reports")]
    assert call(*filled, *reports) == 1
    errors = capsys.readouterr().err
    assert message in errors and "Traceback" not in errors
    assert sum(line.startswith("error:") for line in errors.splitlines()) == 1


def test_a_run_and_a_sweep_end_to_end(call, tmp_path, measuring_notebook, capsys):
    notebook, reports = str(measuring_notebook(tmp_path)), tmp_path / "reports"
    axes = ["-v", "lr=0.25,0.75", "-v", "facts.adapter.rank=3"]
    assert call("sweep", notebook, *axes, "--jobs", "2", "--reports", str(reports)) == 0
    shown = capsys.readouterr()
    assert "efficacy is highest at lr 0.75, facts.adapter.rank 3: 0.75" in shown.out
    assert len(list(reports.glob("measures/sweep-*/report.html"))) == 1
    for path in reports.glob("measures/quick-*/config.yaml"):
        assert read_yaml(path)["facts"]["adapter"]["rank"] == 3
    assert call("sweep", notebook, *axes, "--reports", str(reports)) == 0
    assert capsys.readouterr().err.count("unchanged") == 2
    assert call("report", notebook, "-p", "lr", "0.75", "--reports", str(reports)) == 0
    assert "unchanged" not in capsys.readouterr().err  # another rank is another run
    assert (reports / "index.html").is_file()


def test_the_runs_of_a_sweep_get_the_same_threads_whatever_jobs_says(
    call, tmp_path, measuring_notebook
):
    notebook, found = str(measuring_notebook(tmp_path)), []
    for jobs in ("1", "2"):
        reports = tmp_path / jobs
        sweep = ["sweep", notebook, "-v", "seed=0,1", "--jobs", jobs]
        assert call(*sweep, "--reports", str(reports)) == 0
        paths = sorted(reports.glob("measures/quick-*/results.json"))
        found.append([json.loads(path.read_text())["environment"]["threads"] for path in paths])
    assert found[0] == found[1] == [threads_each(2)] * 2


def test_a_failing_notebook_makes_the_exit_code_1(call, tmp_path, write_notebook, capsys):
    notebook = write_notebook(tmp_path / "nb.ipynb", "raise ValueError('broken on purpose')")
    assert call("report", str(notebook), "--reports", str(tmp_path / "reports")) == 1
    errors = capsys.readouterr().err
    assert "ValueError: broken on purpose" in errors and "1 of 1 notebooks did not finish" in errors
