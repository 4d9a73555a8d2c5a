"""The cases of `tests/data/shapes/` whose door is the training file: each becomes a line that the trainer takes."""

from __future__ import annotations

import pytest

from assembly.training_line import training_line
from completions.completion import Completion
from distillations.formats.openai_chat import FORMAT
from tests.distilling import build
from tests.shapes import cases

CASES = cases("training line")


@pytest.mark.parametrize("name", CASES)
def test_a_captured_shape_becomes_a_line_or_is_left_out_with_the_reason(name: str) -> None:
    case = CASES[name]
    pushed = build.record(1, "x", choice={"message": case.given["message"]})
    pushed["request"] = {"model": build.TEACHER, **case.given["request"]}
    line = training_line(Completion.of(pushed, at=build.AT))
    fault = FORMAT.fault(line)
    if case.problem:
        assert fault
        assert str(fault).startswith(case.problem)
        return
    assert (fault, line) == (None, case.expected)
