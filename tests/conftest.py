"""What all tests share: no downloads, and tiny notebooks to run."""

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
settings.register_profile(
    "offline", deadline=None, derandomize=True
)  # a busy machine is no failure
settings.load_profile("offline")

PARAMETERS = (
    'preset: str = "quick"  # size of the run\nseed: int = 0  # of every random choice\n'
    'out: str = ""  # run folder\nlr: float = 0.5  # learning rate\nsteps: int = 3  # updates'
)

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def write_notebook() -> Write:
    """``write_notebook(path, *sources, title=…)``: a notebook with a heading, a parameters cell and
    code cells.
    """

    def write(
        path: Path, *sources: str, title: str = "Does it work?", parameters: str = PARAMETERS
    ) -> Path:
        cells = [
            nbformat.v4.new_markdown_cell(f"# {title}\nIt does."),
            nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *[nbformat.v4.new_code_cell(source) for source in sources],
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        return path

    return write


MEASURES = """
from fledgling.settings import load_config
from fledgling.core.records import StepRecord, judge
from fledgling.reports.figures import label, new_figure
from fledgling.core.run_store import RunStore
run = RunStore.open(out, "measures", load_config(preset))
run.append(StepRecord(0, "start"))
figure, axes = new_figure()
axes[0, 0].plot([0, 1, lr])
label(axes[0, 0], title="Loss <falls>", x="update", y="loss (nats)")
run.save_figure(figure, "curve")
""".strip()
FINISH = """
run.finish({"efficacy": lr, "prototype.efficacy": 0.0},
           [judge("efficacy", ">= 0.4", lr), judge("prototype.efficacy", ">= 0.9", 0.0)])
print("done")
""".strip()


@pytest.fixture(scope="session")
def measuring_notebook(write_notebook: Write) -> Callable[[Path], Path]:
    """A notebook that behaves like the real ones: config, a step, a figure, metrics and
    verdicts.
    """
    return lambda folder: write_notebook(
        folder / "measures.ipynb", MEASURES, FINISH, title="Does <b>it</b> measure?"
    )


@pytest.fixture(scope="session")
def call() -> Callable[..., int]:
    """``call("report", "00")``: the exit code of a command."""
    from fledgling.cli import main

    def call_main(*arguments: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        return stop.value.code or 0

    return call_main


@pytest.fixture
def tiny():
    """A random tiny Llama of 2 layers, fresh for each test."""
    from fledgling.models.tiny import tiny_model

    return tiny_model()
