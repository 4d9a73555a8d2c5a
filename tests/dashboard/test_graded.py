"""Why a grader gave its grade is said in words, whatever its sample holds."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.graded import reason_of, row


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({}, ""),
        ({"error": {"code": "judge_refused", "message": "it refused"}, "label": "good"}, "it refused"),
        ({"error": "away"}, "away"),
        ({"label": "good", "output": '{"label":"good"}'}, "answered good"),
        ({"label": None, "labels": ["A", "B"]}, "answered A and, the other way round, B"),
        ({"steps": [{"description": "Read it.", "conclusion": "Fine."}], "output": "{}"}, "Read it. Fine."),
        ({"errors": ["$.a: missing", "$.b: odd"]}, "$.a: missing; $.b: odd"),
        ({"fields": {"/a": 1.0, "/b": 0.0}}, "differs in /b"),
        ({"fields": {"/a": 1.0}}, "every field is equal"),
        ({"graders": {"same": {"score": 1.0}, "near": {"score": 0.5}}}, "same 1.0, near 0.5"),
        ({"metric": "bleu", "definition": "long"}, "by bleu"),
        ({"wanted": 2, "made": 1, "matched": 1}, "2 calls wanted, 1 made, 1 of them right"),
        ({"output": "free text"}, "free text"),
        ({"steps": "odd", "fields": [1], "graders": 3, "labels": 1}, ""),
    ],
)
def test_the_most_telling_part_of_a_sample_is_said(sample: dict[str, Any], words: str) -> None:
    assert reason_of(sample) == words


def test_a_row_of_any_shape_is_shown() -> None:
    shown = row({"id": "i", "status": "fail", "results": [{"name": "c", "passed": True, "score": 1.0, "sample": None}]})
    assert (shown.question, shown.answer, shown.grades[0].passed) == ("{}", "", True)
