"""template.yaml as CloudFormation reads it, with the files of infra/ that it takes in and its loops unrolled.

`python -m tests.template.loading` prints it for a linter: none looks into a file that is taken in.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"


class _Loader(yaml.CSafeLoader):
    """Knows CloudFormation's tags."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    match node:
        case yaml.ScalarNode():
            return {name: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case _:
            return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tagged)


@cache
def template() -> dict[str, Any]:
    """The template with its loops unrolled and its files taken in, every function as `{"GetAtt": "A.Arn"}`."""
    document: dict[str, Any] = _short(expanded())
    return document


def expanded() -> dict[str, Any]:
    """The same with functions in their long form, as CloudFormation hands it to SAM."""
    document: dict[str, Any] = _unrolled(_with_includes(_read("template.yaml")), {})
    return {**document, "Transform": "AWS::Serverless-2016-10-31"}


def _read(name: str) -> Any:
    return yaml.load((ROOT / name).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader with more tags


def _with_includes(node: Any) -> Any:
    match node:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": str(location)}}, **rest}:
            return _with_includes(rest) | _read(location)
        case dict():
            return {key: _with_includes(value) for key, value in node.items()}
        case list():
            return [_with_includes(value) for value in node]
        case _:
            return node


def _unrolled(node: Any, values: dict[str, str]) -> Any:
    """`values` are those of the loops around: they stand in keys and in texts as `${Name}`."""
    match node:
        case dict():
            unrolled: dict[str, Any] = {}
            for key, value in node.items():
                if key.startswith("Fn::ForEach::"):
                    name, collection, body = value
                    for member in collection:
                        unrolled |= _unrolled(body, {**values, name: member})
                else:
                    unrolled[_named(key, values)] = _unrolled(value, values)
            return _resolved(unrolled)
        case list():
            return [_unrolled(value, values) for value in node]
        case str():
            return _named(node, values)
        case _:
            return node


def _named(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def _resolved(function: dict[str, Any]) -> Any:
    """A text in which no variable is left is itself: `{"Fn::Sub": "RecordQueue"}` is "RecordQueue"."""
    match function:
        case {"Fn::Sub": str(text)} if "${" not in text:
            return text
        case _:
            return function


def _short(node: Any) -> Any:
    match node:
        case {"Fn::GetAtt": [str(resource), str(attribute)]}:
            return {"GetAtt": f"{resource}.{attribute}"}
        case dict():
            return {key.removeprefix("Fn::"): _short(value) for key, value in node.items()}
        case list():
            return [_short(value) for value in node]
        case _:
            return node


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    every = template()["Resources"].items()
    return {name: resource.get("Properties", {}) for name, resource in every if resource["Type"] == f"AWS::{kind}"}


def functions() -> dict[str, dict[str, Any]]:
    """Those of `services/`: the sandbox is a world of its own."""
    return {name: function for name, function in resources("Serverless::Function").items() if "CodeUri" not in function}


def handler_module(function: dict[str, Any]) -> str:
    return str(function["Handler"].rpartition(".")[0])


def statements(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a function's policies allow, those behind a condition included."""
    for statement in function["Policies"]["Statement"]:
        for member in statement["If"][1:] if "If" in statement else [statement]:
            if "Effect" in member:
                yield member


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(function: dict[str, Any]) -> set[str]:
    return {action for statement in statements(function) for action in listed(statement["Action"])}


def may(function: dict[str, Any], action: str, key: str) -> bool:
    """Whether a function's policies let it do this with the object of this key."""
    return any(
        fnmatchcase(key, resource["Sub"].removeprefix("${Bucket.Arn}/"))
        for statement in statements(function)
        if action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    )


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


@cache
def imported(path: Path) -> frozenset[str]:
    """Every name that a module imports, `from a import b` as `a` and `a.b`."""
    modules: set[str] = set()
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import(names=names):
                modules |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                modules |= {module, *(f"{module}.{alias.name}" for alias in names)}
            case _:
                pass
    return frozenset(modules)


def within(service: str) -> list[Path]:
    return list(modules(SERVICES / service))


def standing_on(service: str) -> list[Path]:
    """The modules of a service, and all of ours that they import, directly or through others."""
    known = {dotted(path): path for path in modules(SERVICES)}
    rooms: dict[Path, None] = {}
    waiting = within(service)
    while waiting:
        path = waiting.pop()
        if path not in rooms:
            rooms[path] = None
            waiting += [known[name] for name in imported(path) & known.keys()]
    return list(rooms)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(expanded(), indent=2))
