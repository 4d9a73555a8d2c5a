"""Convert Nunjucks templates whose only tags are variables: `{{ name }}`, `{{ name.field }}`, `{{ name[0] }}`.

In: a template of Promptfoo. Out: one of Stillhouse, or the text for one test. Filters, blocks, comments and whitespace
control raise NotPlain. So does `env`: the environment of the machine is never read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from stillhouse.importing.source import Left

_PLACE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PATH = re.compile(r"""[A-Za-z_$][\w$]*(?:\.[\w$]+|\[\d+\]|\[(?:'[\w -]+'|"[\w -]+")\])*""")
_STEP = re.compile(r"""[\w$]+|'[^']+'|"[^"]+\"""")
_BLOCK = re.compile(r"\{[%#]")


class NotPlain(Left):
    """A template with more in it than plain variables."""


def converted(text: str) -> str:
    """Return the template with `item.` before each variable, as Stillhouse writes it."""
    _refuse_blocks(text)
    return _PLACE.sub(lambda place: "{{ item" + "".join(_written(step) for step in _steps(place[1])) + " }}", text)


def rendered(text: str, variables: Mapping[str, Any]) -> str:
    """Fill in the variables; a missing variable is empty, as in Nunjucks."""
    _refuse_blocks(text)
    return _PLACE.sub(lambda place: _text(_at(_steps(place[1]), variables)), text)


def names(text: str) -> set[str]:
    """The variables that a template uses."""
    return {str(_steps(place)[0]) for place in _PLACE.findall(text)}


def _refuse_blocks(text: str) -> None:
    if _BLOCK.search(text):
        raise NotPlain("a template with blocks or comments")


def _steps(expression: str) -> list[str | int]:
    path = expression.strip()
    steps = [int(step) if step.isdigit() else step.strip("'\"") for step in _STEP.findall(path)]
    if not _PATH.fullmatch(path) or steps[0] == "env":
        raise NotPlain(f"the place '{path[:40]}' of a template, which is no plain variable")
    return steps


def _written(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"


def _at(steps: list[str | int], variables: Mapping[str, Any]) -> Any:
    value: Any = variables
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
