import contextlib
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fledgling.core.errors import DataError, StorageError
from fledgling.core.files import (
    read_json,
    read_jsonl,
    read_yaml,
    write_atomically,
    write_json,
    write_text,
)

TOO_LARGE = """
import pathlib, resource, signal, sys
from fledgling.core.files import write_text
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_text(pathlib.Path(sys.argv[1]), "new" * 1000)
"""


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.bin"
    write_text(path, "old")

    def half(temporary):
        temporary.write_text("ne", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, half)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_message_and_leaves_nothing(tmp_path):
    def fail(temporary):
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError) as caught:
        write_atomically(tmp_path / "new", fail)
    assert str(caught.value) == (
        f"cannot write {tmp_path / 'new'}: No space left on device; free some space or choose"
        " another folder (nothing was changed)"
    )
    assert caught.value.errno == 28 and list(tmp_path.iterdir()) == []


def test_a_write_that_the_system_refuses_midway_keeps_the_old_file(tmp_path):
    path = tmp_path / "notes"
    write_text(path, "old")
    outcome = subprocess.run([sys.executable, "-c", TOO_LARGE, str(path)], capture_output=True)
    assert b"StorageError" in outcome.stderr and b"File too large" in outcome.stderr
    assert path.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_one_message(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="choose another folder"):
        write_text(tmp_path / "file" / "below" / "a.txt", "a")


def test_json_round_trip_and_nan_is_refused(tmp_path):
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"é": [1, None]})
    assert read_json(path) == {"é": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, math.nan)
    assert read_json(path) == {"é": [1, None]}


def test_jsonl_skips_blank_lines_and_keeps_line_numbers(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    assert list(read_jsonl(path)) == [(1, {"a": 1}), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": 1}\n{"a": \n', "line 2 is not valid JSON"),
        (b'{"a": NaN}\n', "line 1 is not valid JSON .NaN is no number"),
        (b'{"a": 1}\n{"a": ' + b"[" * 200_000, "line 2 is not valid JSON .nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}\n", "line 1 is not valid JSON"),
        (b'{"turn": "a\\u0000b"}\n', "line 1: turn holds NUL, which is not text"),
        (
            b'{"a": 1}\n{"probes": [{"q": "\\ud83d"}]}\n',
            r"line 2: probes\[0\]\.q holds half",
        ),
        (b'{"\\udc00": 1}\n', "line 1: a field's name holds half a surrogate pair"),
        (b"[1]\n", "line 1 holds a list"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
    ],
)
def test_a_broken_jsonl_file_names_the_place(tmp_path, text, message):
    path = tmp_path / "a.jsonl"
    path.write_bytes(text)
    with pytest.raises(DataError, match=message):
        list(read_jsonl(path))


@pytest.mark.parametrize("read", [read_json, read_yaml, lambda path: next(read_jsonl(path))[1]])
def test_a_byte_order_mark_is_read_over(tmp_path, read):
    path = tmp_path / "from_windows"
    path.write_bytes(b'\xef\xbb\xbf{"a": "\xc3\xa9"}\r\n')
    assert read(path) == {"a": "é"}


def test_text_beyond_the_basic_plane_is_text(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "\\ud83d\\ude00 \U0001f600"}\n', encoding="utf-8")
    assert next(read_jsonl(path)) == (1, {"a": "\U0001f600 \U0001f600"})


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    for read in (read_json, read_yaml, lambda path: list(read_jsonl(path))):
        with contextlib.suppress(DataError):
            read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "is not valid YAML"),
        ("- 1", "must hold a mapping"),
        ("!!python/object/apply:os.system ['true']", "is not valid YAML"),
    ],
)
def test_broken_or_executable_yaml_is_refused(tmp_path, text, message):
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_yaml(path)


def test_an_empty_yaml_file_is_an_empty_mapping(tmp_path):
    (tmp_path / "a.yaml").write_text("# nothing\n", encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml") == {}


@pytest.mark.parametrize("read", [read_json, read_yaml, lambda path: list(read_jsonl(path))])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(DataError, match=r"nowhere\.x does not exist"):
        read(tmp_path / "nowhere.x")
