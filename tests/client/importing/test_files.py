import gzip
import io
import json
import tracemalloc

import pytest

from stillhouse.importing import files
from stillhouse.importing.files import FileSource, LocalFolder, rows
from stillhouse.importing.source import Unmapped
from stillhouse.importing.stopped import Stopped
from tests.client.importing.build import completion, read_items, written


def read(body, behind=0):
    return [(number, str(value)) for number, value in rows(io.BytesIO(body), behind=behind)]


LINES = b'{"a":1}\n\n{"a":2}\r\n{"a":3}'
ARRAY = b' [\n {"a": 1}, {"a": 2},\n{"a": 3} ]\n'


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize("marked", [b"", b"\xef\xbb\xbf"])
def test_lines_and_arrays_gzipped_or_marked_are_the_same_rows(packed, marked):
    assert read(packed(marked + LINES)) == [(1, "{'a': 1}"), (3, "{'a': 2}"), (4, "{'a': 3}")]
    assert read(packed(marked + ARRAY)) == [(1, "{'a': 1}"), (2, "{'a': 2}"), (3, "{'a': 3}")]


def test_reading_goes_on_behind_a_row():
    assert [number for number, _ in read(LINES, behind=3)] == [4]
    assert [number for number, _ in read(ARRAY, behind=2)] == [3]


@pytest.mark.parametrize(
    "line", [b"{", b'{"a": ' + b"1" * 5000 + b"}", b"\xff\xfe{", b'{"a":"\x00"}', b"[" * 100_000, b'{"a":1}}', b"'x'"]
)
def test_a_line_that_is_no_json_is_left_out_alone(line):
    number, bad = list(rows(io.BytesIO(b'{"a":1}\n' + line + b'\n{"a":2}')))[1]
    assert number == 2
    assert isinstance(bad, Unmapped)
    assert len(read(b'{"a":1}\n' + line + b'\n{"a":2}')) == 3


@pytest.mark.parametrize("chunk", [7, 1024 * 1024])
@pytest.mark.parametrize(
    "element",
    [b'{"a": [' + b"[" * 100_000 + b'"]\\"}"' + b"]" * 100_000 + b"]}", b'{"a": ["}", ' + b"1" * 5000 + b"]}"],
    ids=["too deep", "too many digits"],
)
def test_an_element_that_python_does_not_read_is_left_out_alone(element, chunk, monkeypatch):
    monkeypatch.setattr(files, "_CHUNK", chunk)
    [first, odd, last] = rows(io.BytesIO(b'[{"a":1},' + element + b',{"a":2}]'))
    assert (first, last) == ((1, {"a": 1}), (3, {"a": 2}))
    assert odd[0] == 2
    assert isinstance(odd[1], Unmapped)


def test_a_number_that_json_does_not_have_stops_no_array():
    assert read(b'[{"a":1},{"a":NaN},{"a":2}]') == [(1, "{'a': 1}"), (2, "{'a': nan}"), (3, "{'a': 2}")]


def test_an_overlong_line_is_left_out_alone(monkeypatch):
    monkeypatch.setattr(files, "_LONGEST_LINE", 10)
    assert read(b'"' + b"x" * 35 + b'"\n{"a":1}\n' + b"y" * 20) == [
        (1, "a line over 64 MB"),
        (2, "{'a': 1}"),
        (3, "a line over 64 MB"),
    ]


def test_elements_larger_than_a_chunk_are_whole(monkeypatch):
    monkeypatch.setattr(files, "_CHUNK", 7)
    rows_in = [{"a": "ä,]" * number} for number in range(9)]
    assert [value for _, value in rows(io.BytesIO(json.dumps(rows_in).encode()))] == rows_in


def test_a_large_file_is_not_held_in_memory(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("[" + ",".join(json.dumps({"a": "x" * 1000}) for _ in range(30_000)) + "]")
    tracemalloc.start()
    assert sum(1 for _ in rows(path.open("rb"))) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 30_000_000
    assert peak < 12_000_000


@pytest.mark.parametrize(
    "body",
    [b'[{"a":1},', b'[{"a":1}, x]', gzip.compress(b'{"a":1}\n' * 999)[:-30]],
    ids=["array", "row", "gzip"],  # packed bytes carry the time, and workers must agree on the tests' names
)
def test_a_file_that_breaks_off_ends_the_import(tmp_path, body):
    (tmp_path / "x.json").write_bytes(body)
    with pytest.raises(Stopped, match=r"x\.json cannot be read to its end"):
        read_items(FileSource(LocalFolder(tmp_path), lambda *_: completion(1), {}))


def test_a_folder_is_read_in_the_order_of_names_and_goes_on_in_its_middle(tmp_path):
    for name in ("b/2.jsonl", "a.jsonl", "b/1.json.gz"):
        written(tmp_path / name, {"n": 1}, {"n": 2})
    (tmp_path / "readme.txt").write_text("no rows")
    source = FileSource(LocalFolder(tmp_path), lambda row, _: completion(row["n"]), {})
    items = list(source.items(None))
    names = ("a.jsonl", "b/1.json.gz", "b/2.jsonl")
    assert [item.at for item in items] == [f"{name}:{row}" for name in names for row in (1, 2)]
    assert [item.at for item in source.items(items[2].cursor)] == [item.at for item in items[3:]]
    assert source.position == source.total


def test_a_row_of_another_shape_than_documented_is_left_out_alone(tmp_path):
    path = written(tmp_path / "x.jsonl", {"n": 1}, [], {"other": 1}, "text")
    source = FileSource(LocalFolder(path), lambda row, _: completion(row["n"]), {})
    assert [str(record) for record in read_items(source)[1:]] == [
        "a row that is no object but list",
        "not of the documented shape (KeyError)",
        "a row that is no object but str",
    ]


def test_a_place_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(Stopped, match=r"nothing\.jsonl does not exist"):
        LocalFolder(tmp_path / "nothing.jsonl")
