import os
import re

import pytest

from fledgling.core.files import write_json
from fledgling.reports.figures import new_figure
from fledgling.reports.index import write_index
from fledgling.reports.results import newest, stored_runs

VERDICTS = [
    {"metric": "efficacy", "target": ">= 0.9", "measured": 1.0, "passed": True},
    {"metric": "anchor_kl", "target": "<= 0.05", "measured": None, "passed": False},
]


@pytest.fixture
def page(tmp_path, store_run):
    store_run(tmp_path, "04_online_facts", "quick-s0-aaaaaa", title="Old?")
    newest = store_run(
        tmp_path,
        "04_online_facts",
        "quick-s0-bbbbbb",
        started="2026-11-22T10:00:00Z",
        title="A <b> & c?",
        verdicts=VERDICTS,
    )
    for name in ("first", "second"):
        new_figure()[0].savefig(newest / "figures" / f"{name}.png")
    store_run(
        tmp_path, "05_forgetting", "quick-s0-cccccc", status="failed", error="KeyError: '<x>'"
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
    shown = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "2 notebooks 1 of 2 verdicts passed 1 did not finish 2 min 22 s of computing" in shown
    assert "not measured" in page and '<td class="missed">failed</td>' in page


def test_text_from_runs_is_escaped(page):
    assert "A &lt;b&gt; &amp; c?" in page and "A <b>" not in page
    assert "KeyError: &#39;&lt;x&gt;&#39;" in page


def test_the_page_needs_nothing_from_elsewhere(page):
    assert page.count('src="data:image/png;base64,') == 1
    assert "http" not in page and "<script" not in page


def test_scratch_and_runs_in_progress_are_left_out(tmp_path, store_run):
    good = store_run(tmp_path, "nb", "good")
    write_json(tmp_path / "nb" / "scratch" / "results.json", {"metrics": {}, "verdicts": []})
    write_json(tmp_path / "nb" / f".good.{os.getpid()}.tmp" / "results.json", {})
    finished, broken = stored_runs(tmp_path)
    assert [run.folder for run in finished] == [good] and broken == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"notebook": ', "is not valid JSON"),
        ("[1, 2]", "results.json: input should be a valid dictionary"),
        ('{"metrics": NaN}', "NaN is no number in JSON"),
        ('{"notebook": "nb"}', "run_id: field required"),
        (None, "verdicts.0.passed: field required"),
        ("\x00\xff", "is not valid JSON"),
    ],
)
def test_one_bad_old_run_is_listed_and_the_others_are_shown(tmp_path, store_run, content, reason):
    store_run(tmp_path, "nb", "good")
    bad = store_run(tmp_path, "nb", "bad", verdicts=[{"metric": "m", "target": "", "measured": 1}])
    if content is not None:
        (bad / "results.json").write_text(content, encoding="utf-8")
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert "good/report.html" in page and "bad/report.html" not in page
    assert "Runs that cannot be read" in page and reason in page and "nb/bad" in page
    assert newest("nb", tmp_path).folder.name == "good"


def test_a_cover_is_preferred_and_a_broken_figure_is_passed_over(tmp_path, store_run):
    folder = store_run(tmp_path, "nb", "run")
    (folder / "figures" / "cover.png").write_bytes(b"not a picture")
    new_figure()[0].savefig(folder / "figures" / "other.png")
    assert 'src="data:image/png;base64,' in write_index(tmp_path).read_text(encoding="utf-8")


def test_no_run_yet_says_what_to_do(tmp_path):
    assert "make report" in write_index(tmp_path).read_text(encoding="utf-8")
