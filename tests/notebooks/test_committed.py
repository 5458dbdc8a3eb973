"""The committed notebooks as they stand: executed, honest, and in the shape that the runner and
nbval need.
"""

import ast
import subprocess
import sys

import nbformat
import pytest

from fledgling.core.paths import CONFIGS, NOTEBOOKS
from fledgling.reports.notebooks import declared_parameters, question

COMMITTED = sorted(NOTEBOOKS.glob("*.ipynb"))
every = pytest.mark.parametrize("path", COMMITTED, ids=[path.stem for path in COMMITTED])


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@every
def test_every_cell_was_executed_in_order_and_none_failed(path):
    counts = [cell.execution_count for cell in code_cells(path) if cell.source.strip()]
    assert counts == list(range(1, len(counts) + 1)), "execute it again with: make notebooks"
    kinds = {output.output_type for cell in code_cells(path) for output in cell.outputs}
    assert "error" not in kinds


@every
def test_the_last_cell_prints_the_sentinel(path):
    text = "".join(output.get("text", "") for output in code_cells(path)[-1].outputs)
    assert text.endswith("done\n")


@every
def test_it_asks_a_question_and_takes_the_standard_parameters(path):
    notebook = nbformat.read(path, as_version=4)
    assert question(notebook).endswith("?")
    declared = declared_parameters(path)
    assert declared["preset"].default == "quick" and declared["out"].default == ""
    assert {name: declared[name].type for name in ("preset", "seed", "out")} == {
        "preset": "str",
        "seed": "int",
        "out": "str",
    }
    assert all(parameter.help and parameter.type for parameter in declared.values())


@every
def test_it_holds_no_logic_of_its_own(path):
    for cell in code_cells(path):
        tree = ast.parse(
            "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
        )
        defined = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        ]
        assert not defined, "functions belong in lib, where they are tested"
        assert len(cell.source.splitlines()) <= 15


@every
def test_the_kernel_is_whatever_python_runs_it(path):
    kernel = nbformat.read(path, as_version=4).metadata.kernelspec
    assert (kernel.name, kernel.display_name, kernel.language) == ("python3", "Python 3", "python")


@every
def test_no_address_of_a_machine_is_stored(path):
    for cell in nbformat.read(path, as_version=4).cells:
        text = str(cell.get("outputs", "")) + cell.source
        assert not [word for word in ("/home/", "/tmp/", "/Users/", "/root/") if word in text]


@pytest.fixture
def executed(tmp_path, write_notebook):
    """A notebook with true stored outputs: text, a table and the sentinel."""
    path = write_notebook(
        tmp_path / "tiny.ipynb", "print('efficacy', 0.9167)", "0.5 + 0.25", "print('done')"
    )
    notebook = nbformat.read(path, as_version=4)
    outputs = [
        [],
        [nbformat.v4.new_output("stream", text="efficacy 0.9167\n")],
        [nbformat.v4.new_output("execute_result", data={"text/plain": "0.75"}, execution_count=3)],
        [nbformat.v4.new_output("stream", text="done\n")],
    ]
    for number, (cell, stored) in enumerate(zip(notebook.cells[1:], outputs, strict=True), start=1):
        cell.outputs, cell.execution_count = stored, number
    nbformat.write(notebook, path)
    return path


def nbval(path) -> subprocess.CompletedProcess:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--nbval",
        "--nbval-current-env",
        "--nbval-sanitize-with",
        str(CONFIGS / "nbval.cfg"),
        str(path),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=path.parent)


def test_nbval_passes_on_true_outputs(executed):
    outcome = nbval(executed)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(
    ("true", "false"), [("efficacy 0.9167", "efficacy 0.9166"), ("0.75", "0.76")]
)
def test_nbval_fails_on_a_changed_result(executed, true, false):
    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells[2:]:
        for output in cell.outputs:
            if "text" in output:
                output.text = output.text.replace(true, false)
            else:
                output.data["text/plain"] = output.data["text/plain"].replace(true, false)
    nbformat.write(notebook, executed)
    outcome = nbval(executed)
    assert outcome.returncode == 1 and false in outcome.stdout
