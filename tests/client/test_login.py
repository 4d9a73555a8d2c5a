"""`stillhouse login`: what is kept, who may read it, and where it is sent."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stillhouse import asking, cli, login
from stillhouse.importing.stopped import Stopped

URL = "https://api.example.com/v1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("STILLHOUSE_BASE_URL", raising=False)
    monkeypatch.delenv("STILLHOUSE_API_KEY", raising=False)
    monkeypatch.setattr(asking, "try_key", lambda *_: None)
    return tmp_path / "stillhouse" / "login.json"


def logged_in(url: str = f"{URL}/", key: str = "sk-sh-a-b\n") -> None:
    result = CliRunner().invoke(cli.app, ["login", url, "--key-stdin"], input=key)
    assert result.exit_code == 0, result.output
    assert "sk-sh" not in result.output


def test_a_login_serves_commands_that_were_told_nothing(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    logged_in()
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(asking, "asked", lambda to, _, path, *__: asked.append((to, path)) or {"data": []})
    assert CliRunner().invoke(cli.app, ["model", "list"]).exit_code == 0
    assert asked == [(URL, "/models")]
    assert login.key_for(URL) == login.key_for(URL.removesuffix("/v1")) == "sk-sh-a-b"
    assert stat.S_IMODE(home.stat().st_mode) == 0o600
    assert CliRunner().invoke(cli.app, ["logout"]).output == "forgotten\n"
    assert not home.exists()
    assert CliRunner().invoke(cli.app, ["logout"]).output == "there was no login\n"


def test_a_kept_key_goes_to_its_own_address_alone() -> None:
    logged_in()
    with pytest.raises(Stopped, match=r"not told a key for https://other\.example"):
        login.key_for("https://other.example/v1")


def test_the_environment_comes_before_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    logged_in()
    monkeypatch.setenv("STILLHOUSE_API_KEY", "sk-sh-c-d")
    assert login.key_for(URL) == "sk-sh-c-d"


def test_a_refused_key_is_not_kept(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def refused(*_: str) -> None:
        raise Stopped("401: Incorrect API key provided.")

    monkeypatch.setattr(asking, "try_key", refused)
    result = CliRunner().invoke(cli.app, ["login", URL, "--key-stdin"], input="sk-sh-x-y\n")
    assert (result.exit_code, result.stderr) == (1, "error: 401: Incorrect API key provided.\n")
    assert not home.exists()
    assert "begins with https://" in CliRunner().invoke(cli.app, ["login", "x", "--key-stdin"], input="k").stderr


def test_without_a_login_the_remedy_is_named(home: Path) -> None:
    result = CliRunner().invoke(cli.app, ["model", "list"])
    assert result.exit_code == 2
    assert "stillhouse login" in result.stderr
    home.parent.mkdir()
    for broken in ("[]", "{", json.dumps({"url": URL})):
        home.write_text(broken)
        assert "is no login" in CliRunner().invoke(cli.app, ["model", "list"]).stderr
