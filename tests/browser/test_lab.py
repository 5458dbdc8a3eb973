"""A live cell in JupyterLab, driven as a person would."""

import pytest

pytestmark = pytest.mark.browser

LIVE = """
import ipywidgets as widgets
from fledgling.reports.figures import new_figure
from fledgling.reports.live_cells import live_cell

slider = widgets.IntSlider(value=3, description="threshold")
shown = widgets.HTML("decided at 3")
slider.observe(lambda change: setattr(shown, "value", f"decided at {change.new}"), "value")
live_cell(lambda: widgets.VBox([slider, shown]), lambda: new_figure()[0])
""".strip()


def test_a_live_cell_answers_to_the_keyboard(lab, tmp_path, write_notebook, snapshot):
    page = lab.open(write_notebook(tmp_path / "live.ipynb", LIVE))
    lab.run_all(page)
    page.wait_for_selector("text=decided at 3")
    handle = page.locator(".jupyter-widgets .noUi-handle").first
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("text=decided at 4")
    snapshot(page, "moved")
    assert page.locator(".jp-OutputArea-output img").count() == 0  # no still picture here
    page.close()
