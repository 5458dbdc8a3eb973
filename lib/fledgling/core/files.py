"""Files appear whole or not at all, and are read without executing anything."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import from_json

from fledgling.core.errors import DataError


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename it; on any error ``path`` is
    untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all. NaN is refused: it is not JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def parse_json(text: str | bytes) -> Any:
    """JSON from outside. Raises ``ValueError`` whatever is wrong with it: nesting without end and
    halves of surrogate pairs, which the standard parser lets through or dies of, are no exception.
    """
    return from_json(text)


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ``DataError`` naming the file and line when it does not parse."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON: {error}") from error


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSONL file, skipping blank lines. Raises ``DataError`` at a
    broken line.
    """
    if not path.is_file():
        raise DataError(
            f"{path} does not exist; give the path of a JSONL file, one JSON object a line"
        )
    with path.open(encoding="utf-8") as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                yield number, _object(path, number, line)
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text: {error}") from error


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} line {number} is not valid JSON ({error.msg} at column {error.colno})"
        ) from error
    except RecursionError as error:
        raise DataError(f"{path} line {number} is nested too deeply to be read") from error
    if not isinstance(value, dict):
        raise DataError(
            f"{path} line {number} holds a {type(value).__name__}; each line must be one JSON"
            " object"
        )
    return value


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping with the safe loader. Raises ``DataError`` when missing, broken or not a
    mapping.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except yaml.YAMLError as error:
        raise DataError(f"{path} is not valid YAML: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DataError(
            f"{path} must hold a mapping of keys to values, not a {type(value).__name__}"
        )
    return value
