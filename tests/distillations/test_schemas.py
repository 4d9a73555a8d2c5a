"""Where an answer breaks its schema is told without a word of the answer."""

from __future__ import annotations

import pytest

from distillations.schemas import problem_with

NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}


def nested(name: str) -> dict[str, object]:
    ref = {"$ref": "#/$defs/item"}
    return {"properties": {name: {"type": "array", "items": ref}}, "$defs": {"item": NUMBERS}}


@pytest.mark.parametrize(
    ("answer", "schema", "problem"),
    [
        ({"Mrs Smith": "x"}, NUMBERS, "'type' at *"),
        ({"items": [{}, {"Mrs Smith": "x"}]}, nested("items"), "'type' at items.1.*"),
        ({"items": 7}, nested("items"), "'type' at items"),
        ([7], {"type": "object"}, "'type'"),
        ({"items": [{}]}, nested("items"), None),
    ],
)
def test_only_what_the_schema_names_is_told(answer: object, schema: dict[str, object], problem: str | None) -> None:
    assert problem_with(answer, schema) == problem


def test_a_place_is_told_in_256_bytes() -> None:
    problem = problem_with({"ü" * 5_000: 7}, nested("ü" * 5_000))
    assert problem is not None
    assert problem.startswith("'type' at üü")
    assert len(problem.encode()) <= len("'type' at ") + 256
