"""Inputs that are written: of a key with many values there would be more than memory holds, or anybody pays for."""

from __future__ import annotations

from io import BytesIO

import pytest

from assembly.curation import augment
from assembly.curation.rule import Together
from assembly.questions import Questions
from assembly.row import Row
from distillations.grading_steps import Augment
from foundation.errors import ApiError
from graders.string_check import StringCheck
from tests.assembly.grading import Given


def test_a_slice_for_each_user_is_refused_before_anything_is_written() -> None:
    rows = [Row(str(n), n, str(n), "yes", str(n), {"user": str(n)}, 1, 0, 0, 0) for n in range(101)]
    criterion = StringCheck(type="string_check", name="yes", input="a", reference="a", operation="eq")
    step = Augment(by="user", at_least=101, criteria=[criterion])
    together = Together(seed=42, questions=Questions(BytesIO(), rows), grading=Given({}))
    with pytest.raises(ApiError, match="10100 inputs written for 101 slices of 'user'") as refused:
        list(augment.decide(rows, step, together))
    assert refused.value.param == "recipe.steps"
