"""Write the source of `python` graders, for Promptfoo's Python asserts and for `levenshtein`.

Out: a source with `grade(sample, item)`, which returns 1 if the assert passes and 0 if it fails.
"""

from __future__ import annotations

import json
from typing import Any

from stillhouse.importing.promptfoo.parts import VALUES

_INDENT = "    "

_JUDGED = """

import json


def grade(sample, item):
    variables = {{name: value for name, value in item.items() if name != {values!r}}}
    context = {{"vars": variables, "test": {{"vars": variables}}, "config": json.loads({config!r}), "prompt": None}}
    found = {function}(sample["output_text"], context)
    threshold = {threshold!r}
    if isinstance(found, str) and found.lower() in ("true", "false"):
        found = found.lower() == "true"
    if isinstance(found, bool):
        passed = found
    elif isinstance(found, dict):
        passed = found.get("pass", found.get("pass_"))
        if not isinstance(passed, bool):
            raise ValueError("the assert gave neither pass nor fail")
        passed = passed and (threshold is None or found.get("score", 0) >= threshold)
    else:
        passed = float(found) > 0 if threshold is None else float(found) >= threshold
    return 1.0 if passed else 0.0
"""

_LEVENSHTEIN = """def grade(sample, item):
    text, wanted = sample["output_text"], item[{values!r}][{place}]
    row = list(range(len(wanted) + 1))
    for number, sign in enumerate(text, 1):
        before, row = row, [number]
        for at, other in enumerate(wanted):
            row.append(min(before[at + 1] + 1, row[at] + 1, before[at] + (sign != other)))
    return 1.0 if row[-1] <= {most!r} else 0.0
"""


def of_code(code: str, config: Any, threshold: float | None) -> str:
    """Wrap an expression, or several lines as the body of a function, that use `output` and `context`."""
    lines = code.splitlines() if "\n" in code else [f"return {code}"]
    body = "\n".join(_INDENT + line for line in lines)
    return f"def main(output, context):\n{body}\n" + _judged("main", config, threshold)


def of_file(code: str, function: str, config: Any, threshold: float | None) -> str:
    """Wrap a module that defines `function(output, context)`."""
    return f"{code}\n" + _judged(function, config, threshold)


def levenshtein(place: str, most: float) -> str:
    """Write a grader that passes if the edit distance to the row's value at `place` is at most `most`."""
    return _LEVENSHTEIN.format(values=VALUES, place=place, most=most)


def _judged(function: str, config: Any, threshold: float | None) -> str:
    return _JUDGED.format(function=function, config=json.dumps(config or {}), threshold=threshold, values=VALUES)
