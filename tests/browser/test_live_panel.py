"""The panel of notebook 10 on the real model, driven as a person would."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.model]

OPEN = """
from pathlib import Path
from fledgling.core import runtime
from fledgling.facts.learner import load_gate_readers
from fledgling.live.panel import Panel
from fledgling.live.session import Session
from fledgling.models.loading import load_model
from fledgling.settings import load_config

config = load_config("quick", overrides={"live.reply_tokens": 16})
session = Session(
    load_model(config.models, runtime.start(dtype="float32")),
    {"default": config.facts},
    config.language,
    config.live,
    readers=load_gate_readers(),
    folder=Path("conversation"),
)
""".strip()
SHOW = "panel = Panel(session)\npanel"
FACT = "Mirela lives in Trondheim."
REPHRASED = "In which city would I find Mirela?"
LINE = 'input[placeholder^="Tell it something"]'
LAST_REPLY = ".fledgling-model >> nth=-1"


def type_line(page, text):
    """Into the line, and Enter: no mouse."""
    page.locator(LINE).focus()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def press(page, name):
    """A button by the keyboard: by the space bar, since JupyterLab takes Enter for itself."""
    page.get_by_role("button", name=name, exact=True).focus()
    page.wait_for_timeout(300)  # what was typed is sent on leaving the field
    page.keyboard.press("Space")


def ask(page, question):
    """Returns the reply once it is over, with where it came from."""
    count = page.locator(".fledgling-source").count()
    page.wait_for_function("line => !document.querySelector(line).value", arg=LINE)
    page.locator(LINE).focus()
    page.keyboard.type(question)
    press(page, "Ask")
    page.wait_for_function(
        "count => document.querySelectorAll('.fledgling-source').length > count", arg=count
    )
    return page.locator(LAST_REPLY).inner_text()


def overflow(page):
    """Pixels by which anything in the panel is wider than the page."""
    return page.evaluate(
        """() => Math.max(...[...document.querySelectorAll('.jupyter-widgets')]
            .map(one => one.getBoundingClientRect().right)) - window.innerWidth"""
    )


def test_teach_ask_open_undo_and_reload(lab, tmp_path, write_notebook, snapshot):
    page = lab.open(write_notebook(tmp_path / "panel.ipynb", OPEN, SHOW))
    lab.run_all(page)
    page.wait_for_selector(LINE)
    plots = page.locator(".jupyter-widgets img").get_attribute("src")
    assert "Trondheim" not in ask(page, REPHRASED)

    type_line(page, FACT)
    page.wait_for_selector("select option:has-text('Trondheim')", state="attached")
    page.wait_for_function(
        "before => document.querySelector('.jupyter-widgets img').src !== before", arg=plots
    )
    assert "Trondheim" in ask(page, REPHRASED)
    assert f"from: {FACT}" in page.locator(LAST_REPLY).inner_text()

    press(page, "Why?")
    page.wait_for_selector(".fledgling-detail >> text=the base would say")
    assert f"the fact “{FACT}”" in page.locator(".fledgling-detail").inner_text()
    assert overflow(page) <= 0
    snapshot(page, "wide")
    page.set_viewport_size({"width": 800, "height": 1400})
    page.wait_for_timeout(500)  # the page lays itself out anew
    assert overflow(page) <= 0
    snapshot(page, "narrow")
    page.set_viewport_size({"width": 1280, "height": 900})

    press(page, "Undo")
    page.wait_for_selector("text=taken back: Mirela lives in Trondheim.")
    assert "Trondheim" not in ask(page, REPHRASED)
    assert "from: the base" in page.locator(LAST_REPLY).inner_text()

    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)  # a notebook is saved in the background
    page.reload()
    page.wait_for_selector(".jp-NotebookPanel-toolbar")
    lab.wait_until_idle(page)
    page.wait_for_selector(f".fledgling-user >> text={FACT}")
    assert "Trondheim" not in ask(page, REPHRASED)
    snapshot(page, "reloaded")
    page.close()
