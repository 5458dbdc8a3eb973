import pytest

from fledgling.core.errors import RunError
from fledgling.core.files import write_text
from fledgling.reports.comparing import compare, find_run
from fledgling.reports.figures import new_figure
from fledgling.reports.pages import page
from fledgling.reports.results import stored_runs
from fledgling.reports.tables import change


@pytest.fixture
def two_recipes(tmp_path, store_run):
    """Three seeds of one rate and of another, the second .1 better on every seed; a verdict that
    changes with it.
    """
    for place, lr in enumerate((0.1, 0.2)):
        for seed in range(3):
            value = 0.5 + 0.1 * place + 0.05 * seed
            verdict = {"metric": "efficacy", "target": ">= 0.6", "measured": value}
            folder = store_run(
                tmp_path,
                "nb",
                f"quick-s{seed}-{lr}",
                seed=seed,
                parameters={"lr": lr, "seed": seed},
                metrics={"efficacy": value, "steps": 4.0, "rare": None},
                verdicts=[{**verdict, "passed": value >= 0.6}],
            )
            write_text(folder / "config.yaml", f"facts: {{lr: {lr}, rank: 8}}\n")
            new_figure()[0].savefig(folder / "figures" / f"loss{place}.png")
    return tmp_path


def runs_in(reports):
    return sorted(stored_runs(reports)[0], key=lambda run: run.folder.name.split("-")[::-1])


def test_seeds_stand_together_and_differences_are_paired(two_recipes):
    comparison = compare(runs_in(two_recipes))
    assert [len(column.runs) for column in comparison.columns] == [3, 3]
    assert comparison.settings == {"parameter.lr": ("0.1", "0.2"), "facts.lr": ("0.1", "0.2")}
    rows = {row.metric: row for row in comparison.metrics}
    assert rows["efficacy"].measured[0].mean == pytest.approx(0.55)
    better = rows["efficacy"].differences[0]
    assert (better.low, better.high) == (pytest.approx(0.1), pytest.approx(0.1))
    assert change(rows["steps"].differences[0]) == "0 [0, 0]"
    assert rows["rare"].measured == (None, None) and rows["rare"].differences == (None,)
    assert comparison.verdicts == {"efficacy >= 0.6": ("passed for 1 of 3 seeds", "passed")}
    assert [path and path.stem for path in comparison.figures["loss0"]] == ["loss0", None]


def test_single_runs_are_compared_by_their_own_intervals(tmp_path, store_run):
    for name, hits, limits in (("a", 0.6, [0.387, 0.781]), ("b", 0.95, [0.764, 0.991])):
        store_run(
            tmp_path,
            "nb",
            name,
            parameters={"recipe": name},
            metrics={"efficacy": hits, "plain": hits},
            intervals={"efficacy": limits},
        )
    comparison = compare([find_run(name, tmp_path) for name in "ab"])
    rows = {row.metric: row for row in comparison.metrics}
    assert change(rows["efficacy"].differences[0]) == "+0.35 [+0.0905, +0.567]"
    assert change(rows["plain"].differences[0]) == "+0.35"


def test_runs_of_one_configuration_are_nothing_to_compare(two_recipes):
    with pytest.raises(RunError, match="differ in more than the seed"):
        compare(runs_in(two_recipes)[:3])


def test_a_run_is_found_by_folder_by_name_and_by_its_beginning(two_recipes):
    folder = two_recipes / "nb" / "quick-s0-0.1"
    for name in (str(folder), "nb/quick-s0-0.1", "quick-s0-0.1"):
        assert find_run(name, two_recipes).folder == folder
    with pytest.raises(RunError, match="ambiguous: nb/quick-s0-0"):
        find_run("quick-s0", two_recipes)
    with pytest.raises(RunError, match="there is no run 'x'"):
        find_run("x", two_recipes)


def test_the_page_holds_the_figures_and_escapes_what_it_shows(two_recipes, store_run):
    odd = store_run(two_recipes, "nb", "odd", parameters={"fact": "<b>Tom</b>"})
    runs = [*runs_in(two_recipes)[::3], find_run(str(odd), two_recipes)]
    html = page("compare.html", comparison=compare(runs))
    assert "&lt;b&gt;Tom" in html and "<b>Tom" not in html and "http" not in html


def test_the_command_prints_and_writes_the_page(call, capsys, two_recipes):
    names = ["nb/quick-s0-0.1", "nb/quick-s0-0.2"]
    assert call("compare", *names, "--reports", str(two_recipes)) == 0
    shown = capsys.readouterr().out
    assert "parameter.lr" in shown and "+0.1" in shown
    text = (two_recipes / "compare.html").read_text(encoding="utf-8")
    assert "Settings that differ" in text and "failed" in text
