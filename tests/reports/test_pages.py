import nbformat

from fledgling.reports.pages import body_of, duration

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


def test_duration_takes_the_fitting_unit():
    assert [duration(value) for value in (0.04, 59.94, 119.6, 7260)] == [
        "0.0 s",
        "59.9 s",
        "2 min 0 s",
        "2 h 1 min",
    ]
