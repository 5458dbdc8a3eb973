"""The pages in a real browser, without a network: every figure there, nothing asked for from
elsewhere.
"""

import nbformat
import pytest

from fledgling.reports.comparing import compare
from fledgling.reports.pages import body_of
from fledgling.reports.pages import page as html
from fledgling.reports.printing import print_pdf
from fledgling.reports.results import stored_runs
from fledgling.reports.runner import plan, run

pytestmark = pytest.mark.browser

IMAGES = "[...document.images].map(image => image.complete && image.naturalWidth > 0)"
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def reports(tmp_path_factory, measuring_notebook, write_notebook):
    folder = tmp_path_factory.mktemp("notebooks")
    notebooks = [measuring_notebook(folder), write_notebook(folder / "raises.ipynb", "1 / 0")]
    target = tmp_path_factory.mktemp("reports")
    assert [
        event.stored.results.status
        for event in run([plan(path) for path in notebooks], reports=target, time_limit=120)
        if event.stored
    ] == ["ok", "failed"]
    return target


@pytest.fixture(params=["light", "dark"])
def page(request, browser):
    """A page that is offline and remembers every request that was neither a file nor embedded."""
    context = browser.new_context(
        color_scheme=request.param, viewport={"width": 1100, "height": 800}, offline=True
    )
    page = context.new_page()
    page.outside, page.errors = [], []
    page.on(
        "request",
        lambda asked: (
            page.outside.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None
        ),
    )
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    context.close()


def test_the_index_shows_every_notebook_and_leads_to_its_report(reports, page):
    page.goto((reports / "index.html").as_uri())
    assert page.locator(".card").count() == 2
    assert page.locator("#measures img").count() == 1 and page.evaluate(IMAGES) == [True]
    assert page.locator("#measures h2").inner_text() == "Does <b>it</b> measure?"
    assert page.locator("#measures table td.missed").is_visible()
    assert "ZeroDivisionError" in page.locator("#raises .error").inner_text()
    page.click("#measures h2 a")
    assert page.url.endswith("/report.html") and page.locator("article.report").is_visible()
    page.click("text=All reports")
    assert page.url.endswith("/index.html")
    assert page.outside == [] and page.errors == []


def test_a_report_shows_its_figures_and_results(reports, page):
    page.goto(next(reports.glob("measures/*/report.html")).as_uri())
    assert page.evaluate(IMAGES) == [True]
    assert "done" in page.locator("article.report").inner_text()
    assert (
        page.locator("article.report >> text=RunStore").count() == 0
    )  # the code stays in notebook.ipynb
    assert page.outside == [] and page.errors == []


def test_a_failed_report_shows_why(reports, page):
    page.goto(next(reports.glob("raises/*/report.html")).as_uri())
    assert "ZeroDivisionError: division by zero" in page.locator("header .error").inner_text()


@pytest.mark.parametrize("width", [380, 1100])
def test_nothing_is_wider_than_the_window(reports, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for path in (reports / "index.html", next(reports.glob("measures/*/report.html"))):
        page.goto(path.as_uri())
        assert not page.evaluate(OVERFLOW), path.name


def test_a_report_prints_to_a_pdf_with_its_figures(reports, browser):
    source = next(reports.glob("measures/*/report.html"))
    (target,) = print_pdf([source])
    content = target.read_bytes()
    assert target == source.with_suffix(".pdf") and content.startswith(b"%PDF-")
    assert b"/Subtype /Image" in content


def test_nothing_that_a_notebook_shows_runs_in_its_report(page, tmp_path):
    attack = "<script>document.title = 'run'</script><img src=x onerror=\"document.title='run'\">"
    shown = nbformat.v4.new_output("display_data", data={"text/html": attack})
    cells = [
        nbformat.v4.new_markdown_cell(f"# Safe?\n{attack}"),
        nbformat.v4.new_code_cell("", outputs=[shown]),
    ]
    body = body_of(nbformat.v4.new_notebook(cells=cells))
    path = tmp_path / "page.html"
    path.write_text(f"<title>quiet</title>{body}", encoding="utf-8")
    page.goto(path.as_uri())
    assert page.title() == "quiet" and page.outside == []


def test_runs_compared_and_a_sweep_fit_the_window(reports, page, snapshot):
    runs = stored_runs(reports)[0]
    path = reports / "compare.html"
    path.write_text(html("compare.html", comparison=compare(runs)), encoding="utf-8")
    for width in (800, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        assert not page.evaluate(OVERFLOW)
    snapshot(page, "compare")
    assert page.outside == [] and page.errors == []
