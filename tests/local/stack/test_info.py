"""A description of the local stack is written and read back."""

from __future__ import annotations

from dataclasses import replace

from local.stack.info import read_info, write_info
from tests.local.stack.build import INFO


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "stack.json"
    write_info(path, INFO)
    write_info(path, replace(INFO, pid=2))
    assert read_info(path) == replace(INFO, pid=2)
    assert [entry.name for entry in path.parent.iterdir()] == ["stack.json"]


def test_the_key_is_the_owners_alone(tmp_path):
    write_info(tmp_path / "stack.json", INFO)
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0


def test_nothing_and_nonsense_are_no_stack(tmp_path):
    path = tmp_path / "stack.json"
    assert read_info(path) is None
    for text in ("", "[]", "{", '{"api_url": "only"}'):
        path.write_text(text)
        assert read_info(path) is None
