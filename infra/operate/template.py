"""template.yaml as the commands read it: resources by name, and the types of all, without CloudFormation's tags."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).parents[2]
_FILES = ("template.yaml", "infra/apart.yaml")
_BY_SAM = {"AWS::Serverless::Function": ("AWS::Lambda::Function", "AWS::IAM::Role")}
"""What SAM makes of its own types."""


class _Loader(yaml.SafeLoader):
    """Reads over `!Ref` and its like: whoever reads here asks for names and types."""


_Loader.add_multi_constructor("!", lambda *_: None)


def resources() -> dict[str, Any]:
    """The resources that template.yaml declares outside of its loops."""
    declared: dict[str, Any] = _read(_FILES[0])["Resources"]
    return declared


def runtime() -> str:
    """The Lambda runtime of all functions."""
    return str(_read(_FILES[0])["Globals"]["Function"]["Runtime"])


def types() -> set[str]:
    """The type of every resource as CloudFormation gets it, loops and the file that is taken in included."""
    return {made for name in _FILES for kind in _types(_read(name)) for made in _BY_SAM.get(kind, (kind,))}


@cache
def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load((_ROOT / name).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - safe
    return document


def _types(node: Any) -> Iterator[str]:
    match node:
        case dict():
            kind = node.get("Type")
            if isinstance(kind, str) and kind.startswith("AWS::"):
                yield kind
            for value in node.values():
                yield from _types(value)
        case list():
            for value in node:
                yield from _types(value)
        case _:
            pass
