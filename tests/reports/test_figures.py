import io

import matplotlib as mpl
import numpy as np
from PIL import Image

from fledgling.reports.figures import PALETTE, colour_of, label, legend, new_figure


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
