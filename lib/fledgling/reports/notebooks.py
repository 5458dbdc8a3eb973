"""Notebooks as inputs of a run: finding one by name, its question, and the parameters it takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml
from nbformat import NotebookNode
from pydantic import TypeAdapter, ValidationError

from fledgling.core.errors import RunError
from fledgling.core.layers import nearest
from fledgling.core.paths import NOTEBOOKS

_TYPES: dict[str, type] = {type.__name__: type for type in (int, float, str, bool, list, dict)}
_RESERVED = "out"
_MARKS = re.compile(r"\*\*|`|\[(?=[^\]]*\]\()|\]\([^)]*\)")  # bold, code and links in Markdown


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
    matches = [stem for stem in names if wanted and stem.startswith(wanted)]
    if wanted in names:
        matches = [wanted]
    if len(matches) == 1:
        return folder / f"{matches[0]}.ipynb"
    if matches:
        raise RunError(f"notebook {name!r} is ambiguous: {', '.join(matches)}")
    there = ", ".join(names) or "none"
    raise RunError(f"notebook {name!r} is not known;{nearest(wanted, names)} there are: {there}")


def list_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """Every notebook of a folder, by name."""
    return sorted(folder.glob("*.ipynb"))


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook. Raises ``RunError`` when it is missing or is not a notebook."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        return notebook
    except FileNotFoundError as error:
        raise RunError(f"{path} does not exist") from error
    except (ValueError, LookupError, AttributeError, nbformat.ValidationError) as error:
        raise RunError(f"{path} is not a Jupyter notebook: {error}") from error


def question(notebook: NotebookNode) -> str:
    """The title of a notebook: the first heading of its markdown cells, else an empty string."""
    return opening(notebook)[0]


def opening(notebook: NotebookNode) -> tuple[str, str]:
    """The first heading, and as plain text the paragraph below it: the question and its answer."""
    for cell in notebook.cells:
        heading, _, rest = cell.source.lstrip().partition("\n")
        if cell.cell_type == "markdown" and heading.startswith("#"):
            paragraph = rest.strip().partition("\n\n")[0]
            answer = "" if paragraph.startswith("#") else paragraph
            return heading.lstrip("# ").strip(), " ".join(_MARKS.sub("", answer).split())
    return "", ""


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
    found = papermill.inspect_notebook(verbatim(path))
    return {name: _parameter(name, item) for name, item in found.items()}


def verbatim(path: Path) -> str:
    """A path that papermill's own ``{placeholder}`` formatting leaves as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


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
    """Text is converted as a command line gives it; any other value must be of the type already."""
    wanted = _TYPES.get(parameter.type)
    if wanted is None:
        return value
    try:
        if isinstance(value, str) and wanted in (list, dict):
            value = yaml.safe_load(value)
        return TypeAdapter(wanted).validate_python(value, strict=not isinstance(value, str))
    except (ValidationError, yaml.YAMLError) as error:
        hint = f" ({parameter.help})" if parameter.help else ""
        raise RunError(
            f"parameter {parameter.name!r} of {notebook} = {value!r} is not of type"
            f" {parameter.type}; for example: {parameter.default!r}{hint}"
        ) from error


def pairs(values: Sequence[str]) -> dict[str, str]:
    """``["name=value", …]`` as a mapping. Raises ``RunError`` for one that is not of this form."""
    mapping = {}
    for text in values:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise RunError(f"parameter {text!r} is not of the form name=value")
        mapping[name.strip()] = value
    return mapping
