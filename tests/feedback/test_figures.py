from fledgling.core.records import StepRecord
from fledgling.feedback import figures
from fledgling.feedback.judging.judge import Judge
from fledgling.feedback.judging.signals import Exchange
from fledgling.feedback.panel import judged_live
from fledgling.models.loading import load_embedder
from fledgling.reports.figures import Drawing


def test_every_phase_of_a_training_is_one_line():
    updates = [
        StepRecord(step, "update", phase, {"loss": 1.0 / step})
        for phase in ("examples", "preferences")
        for step in (1, 2, 3)
    ]
    lines = figures.plot_training(updates).axes[0].lines
    assert [line.get_label() for line in lines] == ["examples", "preferences"]
    assert list(lines[1].get_xdata()) == [4, 5, 6], "the second phase goes on where the first ended"


def test_bars_show_what_was_measured():
    row = {"name": "smile", "followed": 0.9, "prompted": 0.4, "nothing": 0.1}
    bars = figures.plot_habits([row]).axes[0].patches
    assert sorted(bar.get_width() for bar in bars) == [0.1, 0.4, 0.9]
    scores = {"judge": {"positive": {"f1": 0.8}}}
    assert figures.plot_judging(scores).axes[0].patches[0].get_height() == 0.8
    hops = [{"name": "f16", "kl": 0.0, "bytes": 2e6}, {"name": "q4_0", "kl": 0.1, "bytes": 1e6}]
    assert figures.plot_hops(hops).axes[1].patches[0].get_height() == 2.0
    assert figures.plot_calibration([(0.5, 0.4, 3)], 0.1).axes[0].get_title(loc="left")


def test_the_live_cell_is_a_picture_where_nobody_looks(section, language, monkeypatch):
    judge = Judge(load_embedder(), section.signals, language)
    exchange = Exchange("What is the capital of Australia?", "It is Sydney.", "No, it's Canberra.")
    assert sum(judge.chances(exchange).values()) > 0.99
    monkeypatch.setenv("FLEDGLING_HEADLESS", "1")
    still = judged_live(judge, exchange)
    assert isinstance(still, Drawing) and "correction" in still.axes[0].get_title(loc="left")
    monkeypatch.setenv("FLEDGLING_HEADLESS", "0")
    box = judged_live(judge, exchange)
    box.children[2].value = "perfect, thank you so much!"
    assert box.children[-1].value.startswith("positive")
    box.children[2].value = "<script>alert(1)</script>"
    assert "<script>" not in box.children[-1].value
