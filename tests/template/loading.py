"""template.yaml as CloudFormation reads it: `!GetAtt A.B` becomes `{"GetAtt": "A.B"}`, and so on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"


class _Loader(yaml.SafeLoader):
    """Knows CloudFormation's tags."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            return {suffix: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {suffix: loader.construct_sequence(node, deep=True)}
        case _:
            return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tagged)


@cache
def template() -> dict[str, Any]:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with more tags
    return document


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    found = template()["Resources"].items()
    return {name: one.get("Properties", {}) for name, one in found if one["Type"] == f"AWS::{kind}"}


def functions() -> dict[str, dict[str, Any]]:
    """Those of `services/`: the sandbox is a world of its own."""
    return {name: one for name, one in resources("Serverless::Function").items() if "CodeUri" not in one}


def handler_module(function: dict[str, Any]) -> str:
    return str(function["Handler"].rpartition(".")[0])


def statements(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a function's policies allow, those behind a condition included."""
    for policy in function["Policies"]:
        for statement in policy["Statement"]:
            for one in statement["If"][1:] if "If" in statement else [statement]:
                if "Effect" in one:
                    yield one


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(function: dict[str, Any]) -> set[str]:
    return {action for one in statements(function) for action in listed(one["Action"])}


# ------------------------------------------------------------------ sources


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def modules(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def dotted(path: Path) -> str:
    """The module's name, as the functions import it."""
    parts = path.relative_to(SERVICES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Every name that a module imports, `from a import b` as `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module, *(f"{module}.{alias.name}" for alias in names)}
            case _:
                pass
    return found


def within(service: str) -> list[Path]:
    return list(modules(SERVICES / service))


def standing_on(service: str) -> list[Path]:
    """The modules of a service, and all of ours that they import, directly or through others."""
    known = {dotted(path): path for path in modules(SERVICES)}
    found: dict[Path, None] = {}
    waiting = within(service)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = None
            waiting += [known[name] for name in imported(path) & known.keys()]
    return list(found)
