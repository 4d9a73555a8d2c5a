"""Run a grader's source in this process: restrict it, grade once, and exit.

In: on stdin the JSON of `{source, sample, item, limits, folder, packages}`; as argument the number of the pipe for the
answer. Out: on that pipe a line break when the source begins, then `{"score": …}` or `{"error": {"message"}}`, with the
walls that were put up. What the source prints goes to stdout and stderr.
"""

from __future__ import annotations

import json
import math
import os
import sys
import types
from contextlib import suppress
from numbers import Real
from pathlib import Path
from typing import Any

_FILE = "<grader>"
_LONGEST_MESSAGE = 2000


def main() -> None:
    answers = int(sys.argv[1])
    request = json.load(sys.stdin.buffer)
    sys.path.insert(0, request["packages"])
    # Imported here: the request says where our own packages lie.
    from isolation.walls import Limits, raise_walls

    # Bound now: the source may replace any name in these modules.
    encode, write, leave = json.JSONEncoder().encode, os.write, os._exit
    walls = raise_walls(Limits(**request["limits"]), Path(request["folder"]))
    # The clock outside starts with the first byte; JSON takes it for nothing.
    write(answers, b"\n")
    answer = _answer(request["source"], request["sample"], request["item"])
    with suppress(BaseException):  # the source may have put anything in their place
        sys.stdout.flush()
        sys.stderr.flush()
    data = memoryview(encode({**answer, "walls": walls}).encode())
    while data:
        data = data[write(answers, data) :]
    # At once: whatever the source left running or to be done at exit ends here.
    leave(0)


def _answer(source: str, sample: Any, item: Any) -> dict[str, Any]:
    try:
        return {"score": _score(source, sample, item)}
    except BaseException as error:  # noqa: BLE001 - whatever the source raises is its answer
        return {"error": {"message": _described(error)}}


def _score(source: str, sample: Any, item: Any) -> float:
    module = types.ModuleType("grader")
    sys.modules["grader"] = module
    exec(compile(source, _FILE, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - it is what we are for
    score = module.grade(sample, item)
    if isinstance(score, bool) or not isinstance(score, Real):
        raise TypeError(f"grade returned {type(score).__name__}, a float is expected: return float(…)")
    value = float(score)
    if not math.isfinite(value):
        raise ValueError(f"grade returned {value}, a finite number is expected")
    return value


def _described(error: BaseException) -> str:
    """Return an error's class, its text and the line of the source; its text may raise too."""
    try:
        text = str(error)
    except BaseException as worse:  # noqa: BLE001 - an exception of the source's own
        text = f"its text cannot be had: {type(worse).__name__}"
    if isinstance(error, SystemExit):
        return "The source ended the process instead of returning a score."
    lines = []
    step = error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == _FILE:
            lines.append(step.tb_lineno)
        step = step.tb_next
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}{where}: {text}"[:_LONGEST_MESSAGE]


if __name__ == "__main__":
    main()
