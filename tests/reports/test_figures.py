import io

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgba
from PIL import Image

from fledgling.reports.figures import (
    BLUE,
    PALETTE,
    VERMILION,
    bar_panels,
    colour_of,
    label,
    legend,
    new_figure,
)


def test_a_figure_shows_itself_as_png():
    figure, axes = new_figure(2, 3)
    assert axes.shape == (2, 3)
    image = Image.open(io.BytesIO(figure._repr_png_()))
    assert image.format == "PNG" and np.asarray(image.convert("L")).std() > 1


def test_the_users_settings_come_back():
    before = mpl.rcParams["axes.spines.top"]
    new_figure()
    assert mpl.rcParams["axes.spines.top"] == before


def test_labels_are_set():
    axes = label(new_figure()[1][0, 0], title="What", x="update", y="loss (nats)")
    assert (axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()) == (
        "What",
        "update",
        "loss (nats)",
    )


def test_colours_are_distinct_and_stable():
    assert len(set(PALETTE)) == len(PALETTE)
    assert colour_of(["a", "b"]) == {"a": PALETTE[0], "b": PALETTE[1]}
    assert len(colour_of([str(number) for number in range(9)])) == 9


def test_the_first_lines_take_the_palette_and_the_legend_has_no_frame():
    axes = new_figure()[1][0, 0]
    lines = [axes.plot([0, 1], label=name)[0] for name in "ab"]
    assert [line.get_color() for line in lines] == list(PALETTE[:2])
    assert not legend(axes, beside=True).get_legend().get_frame_on()


def test_panels_of_bars_share_their_names_and_tell_what_was_not_measured():
    figure = bar_panels(
        ["a", "b"], {"use": [0.5, None], "near miss": [0.0, 0.1]}, lower=["near miss"]
    )
    use, near = figure.axes
    assert [tick.get_text() for tick in use.get_yticklabels()] == ["a", "b"]
    assert [text.get_text() for text in use.texts] == ["0.50", "not measured"]
    assert [bar.get_width() for bar in near.patches] == [0.0, 0.1]
    assert use.patches[0].get_facecolor() == to_rgba(BLUE)
    assert near.patches[0].get_facecolor() == to_rgba(VERMILION)
    assert near.get_xlabel() == "lower is better"
