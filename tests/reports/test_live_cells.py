import pytest

from fledgling.reports.live_cells import live_cell


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, "still"),
        ({"JPY_SESSION_NAME": "/nb.ipynb"}, "widgets"),
        ({"JPY_SESSION_NAME": "/nb.ipynb", "FLEDGLING_HEADLESS": "1"}, "still"),
        ({"FLEDGLING_HEADLESS": "0"}, "widgets"),
    ],
)
def test_only_what_is_shown_is_made(monkeypatch, environment, shown):
    for name in ("JPY_SESSION_NAME", "FLEDGLING_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = []
    chosen = live_cell(
        lambda: made.append("widgets") or "widgets", lambda: made.append("still") or "still"
    )
    assert (chosen, made) == (shown, [shown])
