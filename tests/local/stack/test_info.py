"""A description of the local stack is written and read back."""

from __future__ import annotations

import subprocess
from dataclasses import replace

from local.stack.info import exports, read_info, write_info
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


def test_a_shell_that_reads_the_exports_knows_the_stack():
    lines = "\n".join(exports(replace(INFO, api_url="http://127.0.0.1:1/$default/v1")))
    printed = (
        f'{lines}\nprintf "%s\\n" "$STILLHOUSE_BASE_URL" "$STILLHOUSE_GATEWAY_URL" "$STILLHOUSE_API_KEY" "$LAB_URL"'
    )
    said = subprocess.run(["sh", "-euc", printed], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["http://127.0.0.1:1/$default/v1", INFO.gateway_url, INFO.api_key, INFO.lab_url]
