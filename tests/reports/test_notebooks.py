import nbformat
import pytest

from fledgling.core.errors import RunError
from fledgling.reports.notebooks import (
    check_parameters,
    count_cells,
    declared_parameters,
    find_notebook,
    opening,
    pairs,
    question,
    read_notebook,
)


@pytest.fixture
def notebook(tmp_path, write_notebook):
    return write_notebook(tmp_path / "04_online_facts.ipynb", "print(1)", "")


def test_a_notebook_is_found_by_name_prefix_and_path(tmp_path, notebook, write_notebook):
    write_notebook(tmp_path / "05_forgetting.ipynb")
    assert find_notebook("04_online_facts", tmp_path) == notebook
    assert find_notebook("04", tmp_path) == notebook
    assert find_notebook(str(notebook)) == notebook


def test_an_unknown_notebook_names_the_nearest(tmp_path, notebook):
    with pytest.raises(RunError, match="did you mean '04_online_facts'"):
        find_notebook("04_onlin_fact", tmp_path)


def test_an_ambiguous_prefix_names_the_candidates(tmp_path, notebook, write_notebook):
    write_notebook(tmp_path / "05_forgetting.ipynb")
    with pytest.raises(RunError, match="ambiguous: 04_online_facts, 05_forgetting"):
        find_notebook("0", tmp_path)


def test_a_file_that_is_no_notebook_is_refused(tmp_path):
    path = tmp_path / "broken.ipynb"
    path.write_text("{half", encoding="utf-8")
    with pytest.raises(RunError, match="not a Jupyter notebook"):
        read_notebook(path)


def test_parameters_carry_type_default_and_help(notebook):
    declared = declared_parameters(notebook)
    assert list(declared) == ["preset", "seed", "out", "lr", "steps"]
    assert (declared["lr"].type, declared["lr"].default, declared["lr"].help) == (
        "float",
        0.5,
        "learning rate",
    )


def test_text_becomes_the_declared_type(notebook):
    checked = check_parameters(notebook, {"lr": "1e-3", "steps": "7", "preset": "full"})
    assert checked == {"lr": 0.001, "steps": 7, "preset": "full"}


def test_an_integer_serves_as_a_float(notebook):
    value = check_parameters(notebook, {"lr": 1})["lr"]
    assert value == 1.0 and isinstance(value, float)


@pytest.mark.parametrize(
    ("name", "value"), [("steps", "2.5"), ("steps", True), ("lr", "fast"), ("preset", 3)]
)
def test_a_value_of_another_type_is_refused(notebook, name, value):
    with pytest.raises(
        RunError, match=f"parameter '{name}' of 04_online_facts = .* is not of type"
    ):
        check_parameters(notebook, {name: value})


def test_an_unknown_parameter_names_the_nearest(notebook):
    with pytest.raises(RunError, match="no parameter 'step'; did you mean 'steps'"):
        check_parameters(notebook, {"step": 1})


def test_out_belongs_to_the_runner(notebook):
    with pytest.raises(RunError, match="--reports"):
        check_parameters(notebook, {"out": "elsewhere"})


def test_question_is_the_first_heading(notebook):
    assert question(read_notebook(notebook)) == "Does it work?"
    assert question(nbformat.v4.new_notebook()) == ""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("# Why?\n**Because**, as `x`\nsays.\n\nMore.", ("Why?", "Because, as x says.")),
        ("# Why?\n\nSee [there](http://x.org/a_b).", ("Why?", "See there.")),
        ("# Why?\n## Set up\nfirst", ("Why?", "")),
        ("no heading", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_answer_is_the_paragraph_below_the_question(source, found):
    cells = [nbformat.v4.new_code_cell("# a comment"), nbformat.v4.new_markdown_cell(source)]
    assert opening(nbformat.v4.new_notebook(cells=cells)) == found


def test_empty_cells_do_not_count(notebook):
    assert count_cells(read_notebook(notebook)) == 3  # parameters, print(1), and the injected one


def test_pairs_need_a_value():
    assert pairs(["lr=0.1", "facts=a=b"]) == {"lr": "0.1", "facts": "a=b"}
    with pytest.raises(RunError, match="name=value"):
        pairs(["lr"])
