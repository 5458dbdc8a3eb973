import nbformat

from fledgling.reports.fingerprints import fingerprint


def notebook(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])


def test_outputs_and_counts_do_not_matter():
    executed = notebook("1")
    executed.cells[0].execution_count = 4
    executed.cells[0].outputs = [nbformat.v4.new_output("stream", text="noise")]
    assert fingerprint(executed, {}) == fingerprint(notebook("1"), {})


def test_source_and_parameters_matter():
    prints = {
        fingerprint(notebook("1"), {}),
        fingerprint(notebook("2"), {}),
        fingerprint(notebook("1"), {"lr": 1.0}),
    }
    assert len(prints) == 3


def test_the_content_of_a_named_file_matters(tmp_path):
    facts = tmp_path / "facts.jsonl"
    facts.write_text("one", encoding="utf-8")
    before = fingerprint(notebook("1"), {"facts": str(facts)})
    facts.write_text("two", encoding="utf-8")
    assert fingerprint(notebook("1"), {"facts": str(facts)}) != before


def test_six_hexadecimal_digits():
    assert len(fingerprint(notebook("1"), {})) == 6
    assert int(fingerprint(notebook("1"), {}), 16) >= 0
