"""The ids of lines of uploaded files as rows."""

from __future__ import annotations

import pytest

from distillations.file_source import FileLine, line_of, row_id


@pytest.mark.parametrize("line", [1, 12, 999_999, 1_000_000, 43_000_000])
def test_a_file_and_a_line_are_told_from_the_id_of_the_row(line: int) -> None:
    assert line_of(row_id("file-01JQ7", line)) == FileLine(file_id="file-01JQ7", line=line)


@pytest.mark.parametrize(
    "row", ["chatcmpl-1", "synthetic-1", "file-01JQ7", "file-01JQ7:12", "file-:000001", "file-1:00001x"]
)
def test_other_rows_are_no_lines(row: str) -> None:
    assert line_of(row) is None


def test_rows_of_a_file_are_in_the_order_of_its_lines() -> None:
    ids = [row_id("file-1", line) for line in range(1, 1200)]
    assert sorted(ids) == ids
