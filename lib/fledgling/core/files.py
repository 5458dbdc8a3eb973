"""Files appear whole or not at all, and are read without executing anything."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import yaml
from pydantic_core import from_json

from fledgling.core.errors import DataError, StorageError

TEXT = "utf-8-sig"  # UTF-8, with or without the byte-order mark that Windows editors put in front
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # NUL ends strings in C; half a pair is no character


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn a full disk or a folder that may not be written to into one ``StorageError``."""
    try:
        yield
    except OSError as error:
        raise StorageError(path, error) from error


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename it; on any error ``path`` is
    untouched. Raises ``StorageError`` where the disk is full or may not be written to.
    """
    with storing(path):
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


def read_text(path: Path) -> str:
    """Read UTF-8 text, a byte-order mark left out. Raises ``DataError`` when it is missing or is
    something else.
    """
    try:
        return path.read_text(encoding=TEXT)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text: {error}") from error


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ``DataError`` naming the file and the place where it does not
    parse; NaN and infinities do not.
    """
    return _parse(str(path), read_text(path))


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSONL file, skipping blank lines.

    Raises ``DataError`` naming the line that is broken, and the field that holds what is not text:
    NUL, or half of a surrogate pair.
    """
    if not path.is_file():
        raise DataError(
            f"{path} does not exist; give the path of a JSONL file, one JSON object a line"
        )
    with path.open(encoding=TEXT) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _object(f"{path} line {number}", line)
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text: {error}") from error


def _object(place: str, line: str) -> dict[str, Any]:
    value = _parse(place, line)
    if not isinstance(value, dict):
        raise DataError(
            f"{place} holds a {type(value).__name__}; each line must be one JSON object"
        )
    for field, text in _texts(value):
        found = _NOT_TEXT.search(text)
        if found:
            what = "NUL" if found[0] == "\x00" else f"half a surrogate pair ({found[0]!r})"
            raise DataError(f"{place}: {field} holds {what}, which is not text; take it out")
    return value


def _texts(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (field, string) inside a parsed JSON object, the fields' names too; a field is named
    from the top: ``probes[0].question``.
    """
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:  # no recursion: what parsed may be nested as deeply as Python allows
        field, item = waiting.pop()
        if isinstance(item, str):
            yield field, item
        elif isinstance(item, list):
            waiting += [(f"{field}[{number}]", one) for number, one in enumerate(item)]
        elif isinstance(item, dict):
            waiting += [("a field's name", name) for name in item]
            waiting += [(f"{field}.{name}".lstrip("."), one) for name, one in item.items()]


def _parse(place: str, text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column" if error.lineno > 1 else "column"
        raise DataError(
            f"{place} is not valid JSON ({error.msg} at {where} {error.colno})"
        ) from error
    except ValueError as error:  # a constant that JSON lacks, a number of thousands of digits
        raise DataError(f"{place} is not valid JSON ({error})") from error
    except RecursionError as error:
        raise DataError(f"{place} is not valid JSON (nested too deeply)") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON; write null where nothing was measured")


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping with the safe loader. Raises ``DataError`` when missing, broken or not a
    mapping.
    """
    try:
        value = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError) as error:
        raise DataError(f"{path} is not valid YAML: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DataError(
            f"{path} must hold a mapping of keys to values, not a {type(value).__name__}"
        )
    return value
