import nbformat
import pandas
import pytest

from fledgling.reports import pages
from fledgling.reports.pages import body_of, duration, write_page
from fledgling.reports.results import read_results

v4 = nbformat.v4


def test_code_and_widgets_are_left_out_and_outputs_stay():
    widget = v4.new_output(
        "display_data",
        data={
            "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
            "text/plain": "IntSlider(value=3)",
        },
    )
    shown = v4.new_output("stream", text="measured")
    notebook = v4.new_notebook(
        cells=[v4.new_code_cell("secret = 1", outputs=[widget, shown])],
        metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}}},
    )
    body = body_of(notebook)
    assert "measured" in body
    assert "secret" not in body and "IntSlider" not in body and "<script" not in body
    assert len(notebook.cells[0].outputs) == 2  # the notebook itself is left alone


ATTACKS = [
    {"text/html": "<p>kept</p><script>EVIL</script>"},
    {"text/html": "<p>kept</p><img src=x onerror=EVIL>"},
    {"text/html": "<p>kept</p><a href='javascript:EVIL'>link</a>"},
    {"text/html": "<p>kept</p><a href='DATA:text/html,EVIL'>link</a>"},
    {"text/html": "<p>kept</p><iframe srcdoc='EVIL'></iframe><object data='EVIL'></object>"},
    {"text/html": "<p>kept</p><style>@import 'https://EVIL'</style>"},
    {"text/html": "<p style='background:url(https://EVIL)'>kept</p>"},
    {"text/html": "<p>kept</p><img src='https://EVIL/pixel.png'>"},
    {"text/html": "<p>kept</p><form action='https://EVIL'><input></form>"},
    {"text/html": "<p>kept</p><meta http-equiv=refresh content='0;url=https://EVIL'>"},
    {"text/markdown": "kept <img src=x onerror=EVIL> [link](javascript:EVIL)"},
    {"application/javascript": "EVIL", "text/plain": "kept"},
    {"image/svg+xml": "<svg onload=EVIL><script>EVIL</script></svg>", "text/plain": "kept"},
]


@pytest.mark.parametrize("data", ATTACKS)
def test_nothing_that_a_notebook_shows_can_run_or_reach_out(data):
    shown = [v4.new_output("display_data", data=data), v4.new_output("stream", text="kept")]
    cells = [v4.new_code_cell("", outputs=shown), v4.new_markdown_cell(data.get("text/html", ""))]
    body = body_of(v4.new_notebook(cells=cells))
    assert "EVIL" not in body and "kept" in body


def test_a_picture_cannot_end_its_own_attribute():
    data = {"image/png": '"><script>run()</script><img onerror="run()'}
    shown = v4.new_output("display_data", data=data)
    body = body_of(v4.new_notebook(cells=[v4.new_code_cell("", outputs=[shown])]))
    assert "<script" not in body and 'onerror="' not in body


def test_prose_tables_and_pictures_stay():
    picture = v4.new_output("display_data", data={"image/png": "iVBORw0KGgo="})
    table = v4.new_output(
        "display_data", data={"text/html": pandas.DataFrame({"a": [1]}).to_html()}
    )
    cells = [
        v4.new_markdown_cell("## Why\n*so* `code` [link](https://example.org)\n\n- one"),
        v4.new_code_cell("", outputs=[picture, table]),
    ]
    body = body_of(v4.new_notebook(cells=cells))
    for kept in (
        "<h2>Why",
        "<em>so</em>",
        "<code>code</code>",
        'href="https://example.org"',
        "<li>",
    ):
        assert kept in body
    assert "data:image/png;base64,iVBORw0KGgo=" in body and "<th>a</th>" in body


def test_outputs_that_cannot_be_shown_are_named_and_the_page_appears(
    tmp_path, monkeypatch, store_run
):
    def breaks(notebook):
        raise ValueError("no <picture>")

    monkeypatch.setattr(pages, "body_of", breaks)
    results = read_results(store_run(tmp_path, "nb", "run"))
    write_page(tmp_path / "report.html", v4.new_notebook(), results)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "cannot be shown: no &lt;picture&gt;" in text and "seed 0" in text


def test_duration_takes_the_fitting_unit():
    assert [duration(value) for value in (0.04, 59.94, 119.6, 7260)] == [
        "0.0 s",
        "59.9 s",
        "2 min 0 s",
        "2 h 1 min",
    ]
