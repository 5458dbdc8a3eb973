import os
from pathlib import Path

import nbformat
import pytest

from fledgling.core.files import write_json
from fledgling.reports.figures import new_figure
from fledgling.reports.index import stored_runs, write_index

VERDICTS = [
    {"metric": "efficacy", "target": ">= 0.9", "measured": 1.0, "passed": True},
    {"metric": "anchor_kl", "target": "<= 0.05", "measured": None, "passed": False},
]


def store(
    reports: Path,
    notebook: str,
    run_id: str,
    *,
    started: str,
    title: str = "A question?",
    **changes,
) -> Path:
    folder = reports / notebook / run_id
    (folder / "figures").mkdir(parents=True)
    results = {
        "notebook": notebook,
        "run_id": run_id,
        "status": "ok",
        "preset": "quick",
        "seed": 0,
        "started": started,
        "seconds": 71.2,
        "parameters": {},
        "environment": {"device": "cpu"},
        "metrics": {},
        "verdicts": VERDICTS,
    }
    write_json(folder / "results.json", {**results, **changes})
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {title}")]),
        folder / "notebook.ipynb",
    )
    return folder


@pytest.fixture
def page(tmp_path):
    store(
        tmp_path, "04_online_facts", "quick-s0-aaaaaa", started="2026-11-20T10:00:00Z", title="Old?"
    )
    newest = store(
        tmp_path,
        "04_online_facts",
        "quick-s0-bbbbbb",
        started="2026-11-21T10:00:00Z",
        title="A <b> & c?",
    )
    for name in ("first", "second"):
        new_figure()[0].savefig(newest / "figures" / f"{name}.png")
    store(
        tmp_path,
        "05_forgetting",
        "quick-s0-cccccc",
        started="2026-11-19T10:00:00Z",
        status="failed",
        error="KeyError: '<x>' (cell 3)",
        verdicts=[],
    )
    return write_index(tmp_path).read_text(encoding="utf-8")


def test_the_newest_run_stands_on_top_and_the_others_follow(page):
    assert (
        page.index("quick-s0-bbbbbb/report.html")
        < page.index("Earlier runs (1)")
        < page.index("quick-s0-aaaaaa")
    )
    assert "Old?" not in page


def test_verdicts_are_counted_and_listed(page):
    assert "2 notebooks · 1 of 2 verdicts passed · 1 did not finish" in page
    assert "not measured" in page and '<td class="missed">failed</td>' in page


def test_text_from_runs_is_escaped(page):
    assert "A &lt;b&gt; &amp; c?" in page and "A <b>" not in page
    assert "KeyError: &#x27;&lt;x&gt;&#x27;" in page


def test_the_page_needs_nothing_from_elsewhere(page):
    assert page.count('src="data:image/png;base64,') == 1
    assert "http" not in page and "<script" not in page


def test_scratch_and_broken_results_are_left_out(tmp_path, caplog):
    good = store(tmp_path, "nb", "good", started="2026-11-21T10:00:00Z")
    write_json(tmp_path / "nb" / "scratch" / "results.json", {"metrics": {}, "verdicts": []})
    (tmp_path / "nb" / "cut").mkdir()
    (tmp_path / "nb" / "cut" / "results.json").write_text('{"notebook": ', encoding="utf-8")
    write_json(tmp_path / "nb" / f".good.{os.getpid()}.tmp" / "results.json", {})
    assert [run.folder for run in stored_runs(tmp_path)["nb"]] == [good]
    assert "left out of the index" in caplog.text


def test_a_cover_is_preferred_and_a_broken_figure_is_passed_over(tmp_path):
    folder = store(tmp_path, "nb", "run", started="2026-11-21T10:00:00Z")
    (folder / "figures" / "cover.png").write_bytes(b"not a picture")
    new_figure()[0].savefig(folder / "figures" / "other.png")
    assert 'src="data:image/png;base64,' in write_index(tmp_path).read_text(encoding="utf-8")


def test_no_run_yet_says_what_to_do(tmp_path):
    assert "make report" in write_index(tmp_path).read_text(encoding="utf-8")
