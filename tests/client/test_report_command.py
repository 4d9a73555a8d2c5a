"""`stillhouse report`: which page is asked for, with which key, and where it is written."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stillhouse import asking, cli
from stillhouse.importing.stopped import Stopped

TO = ("--to", "https://example.org/prod/v1")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []

    def fetched(to: str, path: str) -> bytes:
        seen.append((to, path))
        if "nothing" in path:
            raise Stopped("404: there is no such object")
        return b"<!doctype html>"

    monkeypatch.setattr(asking, "fetched", fetched)
    monkeypatch.chdir(tmp_path)
    return seen


def test_a_report_is_written_under_its_id_or_where_it_is_wanted(asked: list[tuple[str, str]]) -> None:
    runner = CliRunner()
    made = runner.invoke(cli.app, ["report", "verdict_1", *TO])
    assert (made.exit_code, made.output) == (0, "verdict_1.html\n")
    assert Path("verdict_1.html").read_bytes() == b"<!doctype html>"
    made = runner.invoke(cli.app, ["report", "evalrun_1", "--against", "evalrun_2", "--out", "mail.html", *TO])
    assert made.exit_code == 0
    assert Path("mail.html").exists()
    assert asked == [
        ("https://example.org/prod", "/reports/verdict_1?file=1"),
        ("https://example.org/prod", "/reports/evalrun_1?file=1&against=evalrun_2"),
    ]


def test_what_is_refused_is_one_line_and_writes_nothing(asked: list[tuple[str, str]]) -> None:
    runner = CliRunner()
    refused = runner.invoke(cli.app, ["report", "nothing/at all", *TO])
    assert (refused.exit_code, refused.output) == (1, "error: 404: there is no such object\n")
    assert asked[-1][1] == "/reports/nothing%2Fat%20all?file=1"
    assert runner.invoke(cli.app, ["report", "verdict_1", "--to", "https://example.org"]).exit_code == 1
    assert not list(Path().iterdir())
