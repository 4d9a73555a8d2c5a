import importlib
import re
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from local.demo import command
from local.demo.plan import Options
from stillhouse import cli


@pytest.fixture
def seen(monkeypatch):
    options = []
    monkeypatch.setattr(command, "run", lambda given: options.append(given) or 3)
    return options


def test_the_demo_passes_on_what_was_asked_and_its_exit_code(seen):
    asked = "demo --data f.jsonl --teacher big --student small --trainer bedrock --test-fraction 0.5 --json out"
    result = CliRunner().invoke(cli.app, [*asked.split(), "--no-approve", "--seed", "9", "--keep"])
    assert result.exit_code == 3
    assert seen == [
        Options(
            data=Path("f.jsonl"),
            teacher="big",
            student="small",
            trainer="bedrock",
            test_fraction=0.5,
            json_out=Path("out"),
            approve=False,
            seed=9,
            keep=True,
        )
    ]


def test_the_defaults_of_command_line_and_options_are_the_same(seen):
    CliRunner().invoke(cli.app, ["demo"])
    assert seen == [Options()]


def test_outside_a_checkout_one_line_says_where_the_demo_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "a" / "b" / "cli.py"))
    real = importlib.import_module

    def without_local(name):
        if name.startswith("local"):
            raise ModuleNotFoundError(f"No module named {name!r}", name="local")
        return real(name)

    monkeypatch.setattr(importlib, "import_module", without_local)
    result = CliRunner().invoke(cli.app, ["demo"])
    assert result.exit_code == 1
    assert "runs from a checkout" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_importing_the_command_imports_no_demo(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("local.demo")]:
        monkeypatch.delitem(sys.modules, name)
    importlib.reload(cli)
    assert not any(name.startswith("local.demo") for name in sys.modules)


@pytest.mark.parametrize("fraction", ["0", "1", "x"])
def test_a_fraction_that_leaves_a_side_empty_is_refused(seen, fraction):
    result = CliRunner().invoke(cli.app, ["demo", "--test-fraction", fraction])
    assert result.exit_code == 2
    assert seen == []


def commands(group, *words):
    """Every command below a group by its words."""
    below = getattr(group, "commands", None)
    if below is None:
        return {words: group}
    return {found: it for name, one in below.items() for found, it in commands(one, *words, name).items()}


def test_every_command_stands_in_its_page_and_says_what_it_takes():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "command-line.md").read_text()
    known = commands(typer.main.get_command(cli.app))
    assert {words[0] for words in known if words[0] not in page} == {"demo"}
    assert [words for words, command in known.items() if not command.help] == []
    silent = [(*words, option.name) for words, it in known.items() for option in it.params if not option.help]
    assert silent == []


def test_where_its_page_lists_the_commands_of_a_group_it_lists_all():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "command-line.md").read_text()
    known = commands(typer.main.get_command(cli.app))
    rows = re.findall(r"`stillhouse (\w+) (\w[\w-]*\\\|[^` ]+)`", page)
    listed = {group: {*names.split(r"\|")} for group, names in rows}
    assert len(listed) > 5
    assert listed == {group: {words[1] for words in known if words[0] == group} for group in listed}


def test_every_command_that_the_docs_name_exists():
    tops = {words[0] for words in commands(typer.main.get_command(cli.app))}
    named = re.compile(r"(?:^|`)stillhouse ([a-z][a-z-]*)", re.MULTILINE)
    pages = [path for path in (Path(__file__).parents[2] / "docs").rglob("*.md") if path.name != "decisions.md"]
    found = {name for page in pages for name in named.findall(page.read_text())}
    assert found
    assert found - tops == set()
