"""Notebooks as inputs of a run: finding one by name, its question, and the parameters it takes."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml
from nbformat import NotebookNode

from fledgling.core.errors import RunError
from fledgling.core.layers import nearest
from fledgling.core.paths import NOTEBOOKS

_TYPES: dict[str, type] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list": list,
    "dict": dict,
}
_RESERVED = "out"


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell. ``type`` is int, float, str, bool, list, dict, or empty when
    unknown.
    """

    name: str
    type: str
    default: Any
    help: str


def find_notebook(name: str, folder: Path = NOTEBOOKS) -> Path:
    """A notebook by stem, by a prefix that only one has ("04"), or by path.

    Raises ``RunError`` naming the nearest notebook.
    """
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name).resolve()
    names = [path.stem for path in list_notebooks(folder)]
    wanted = name.removesuffix(".ipynb")
    matches = (
        [wanted]
        if wanted in names
        else [stem for stem in names if wanted and stem.startswith(wanted)]
    )
    if len(matches) == 1:
        return folder / f"{matches[0]}.ipynb"
    if matches:
        raise RunError(f"notebook {name!r} is ambiguous: {', '.join(matches)}")
    raise RunError(
        f"notebook {name!r} is not known;{nearest(wanted, names)} there are: {', '.join(names) or 'none'}"
    )


def list_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """Every notebook of a folder, by name."""
    return sorted(folder.glob("*.ipynb"))


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook. Raises ``RunError`` when it is missing or is not a notebook."""
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError as error:
        raise RunError(f"{path} does not exist") from error
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is not a Jupyter notebook: {error}") from error


def question(notebook: NotebookNode) -> str:
    """The title of a notebook: the first heading of its markdown cells, else an empty string."""
    lines = (
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
    )
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), "")


def count_cells(notebook: NotebookNode) -> int:
    """How many code cells a run executes, counting the one that papermill injects."""
    return 1 + sum(
        cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells
    )


def declared_parameters(path: Path) -> dict[str, Parameter]:
    """The parameters cell, by name: lines ``name: type = value  # help``. Empty when no cell is
    tagged so.
    """
    notebook = read_notebook(path)
    tagged = any("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells)
    if not tagged:
        return {}
    if not notebook.metadata.get("kernelspec", {}).get("language"):
        raise RunError(
            f"{path.name} has no metadata.kernelspec.language; save it once from JupyterLab"
        )
    found = papermill.inspect_notebook(str(path).replace("{", "{{").replace("}", "}}"))
    return {name: _parameter(name, item) for name, item in found.items()}


def _parameter(name: str, item: Mapping[str, str]) -> Parameter:
    try:
        default = ast.literal_eval(item["default"])
    except (ValueError, SyntaxError):
        default = None
    declared = item["inferred_type_name"].split("[")[0].strip()
    if declared not in _TYPES:
        declared = type(default).__name__ if type(default).__name__ in _TYPES else ""
    return Parameter(name, declared, default, item["help"])


def check_parameters(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` with each value in its declared type; text from a command line is converted.

    Raises ``RunError`` for a name that the notebook does not take or a value of another type:
    papermill only warns.
    """
    declared = declared_parameters(path)
    takes = [name for name in declared if name != _RESERVED]
    checked = {}
    for name, value in given.items():
        if name == _RESERVED:
            raise RunError("parameter 'out' is set by the runner; choose the folder with --reports")
        if name not in declared:
            raise RunError(
                f"{path.stem} has no parameter {name!r};{nearest(name, takes)} "
                f"it takes: {', '.join(takes) or 'none'}"
            )
        checked[name] = _typed(path.stem, declared[name], value)
    return checked


def _typed(notebook: str, parameter: Parameter, value: Any) -> Any:
    wanted = parameter.type
    if isinstance(value, str) and wanted not in ("str", ""):
        value = _from_text(value, wanted)
    if wanted == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    mistyped = bool(wanted) and not isinstance(value, _TYPES[wanted])
    if mistyped or (wanted == "int" and isinstance(value, bool)):
        raise RunError(
            f"parameter {parameter.name!r} of {notebook} = {value!r} is not of type {wanted}; "
            f"for example: {parameter.default!r}"
            + (f" ({parameter.help})" if parameter.help else "")
        )
    return value


def _from_text(text: str, wanted: str) -> Any:
    if wanted == "float":  # YAML 1.1 reads 1e-3 as a string
        try:
            return float(text)
        except ValueError:
            return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def pairs(values: Sequence[str]) -> dict[str, str]:
    """``["name=value", …]`` as a mapping. Raises ``RunError`` for one that is not of this form."""
    mapping = {}
    for text in values:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise RunError(f"parameter {text!r} is not of the form name=value")
        mapping[name.strip()] = value
    return mapping
