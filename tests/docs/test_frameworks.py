"""The page on other people's libraries shows each script of examples/frameworks as it is, with its versions."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "frameworks"
PAGE = (ROOT / "docs" / "how-to" / "frameworks.md").read_text(encoding="utf-8")
SCRIPTS = [
    path
    for suffix in ("py", "mjs", "yaml")
    for path in sorted(FOLDER.rglob(f"*.{suffix}"))
    if "node_modules" not in path.parts
]


def named(path):
    return str(path.relative_to(FOLDER))


def test_there_is_a_script_for_each_of_the_nineteen():
    assert len([path for path in SCRIPTS if path.parent == FOLDER]) == 19


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_the_page_names_each_script_and_shows_it_as_it_is(script):
    assert f"](../../examples/frameworks/{named(script)})" in PAGE
    assert f"\n{script.read_text(encoding='utf-8')}```\n" in PAGE


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.suffix == ".py"], ids=named)
def test_a_python_script_pins_what_it_was_tried_with(script):
    [line] = re.findall(r"^# dependencies = (\[.*\])$", script.read_text(encoding="utf-8"), re.MULTILINE)
    packages = json.loads(line)
    assert packages
    assert [package for package in packages if "==" not in package and package != "stillhouse"] == []


def test_the_javascript_packages_are_pinned_and_their_versions_are_said():
    packages = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert {name for name, version in packages.items() if not version[0].isdigit()} == set()
    assert [f"{name} {version}" for name, version in packages.items() if f"`{name}` {version}" not in PAGE] == []
