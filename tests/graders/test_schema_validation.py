import pytest

from graders.grade import TooLarge
from graders.schema_validation import Validation

CHAIN = {f"l{level}": {"allOf": [{"$ref": f"#/$defs/l{level + 1}"}] * 2} for level in range(17)}
DOUBLING = {"$defs": {**CHAIN, "l17": {"type": "integer"}}, "$ref": "#/$defs/l0"}
NUMBERS = list(range(5_000))
CONST = {"$defs": {"c": {"const": NUMBERS}}, "allOf": [{"$ref": "#/$defs/c"}] * 5_000}


def errors(schema, document):
    return [error.message for error in Validation(schema).errors(document, 5)]


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        pytest.param(DOUBLING, 1, id="references"),
        pytest.param(CONST, NUMBERS, id="const"),
        pytest.param({"items": {"pattern": "(a?){990}b"}}, ["a" * 3_000] * 50, id="pattern"),
        pytest.param({"not": {"anyOf": [{"const": 1}] * 5_000}}, "x" * 100_000, id="messages"),
        pytest.param({"items": {"enum": [list(range(3_000))]}}, [list(range(3_000))] * 300, id="enum"),
    ],
)
def test_a_schema_that_asks_for_too_much_is_told(schema, document):
    with pytest.raises(TooLarge, match="steps"):
        errors(schema, document)


def test_each_document_has_all_the_steps():
    validation = Validation({"type": "array", "items": {"type": "integer"}})
    assert all(validation.errors(NUMBERS, 5) == [] for _ in range(13))


@pytest.mark.parametrize(
    ("schema", "document", "expected"),
    [
        ({"uniqueItems": True}, [1, 1.0], "non-unique"),
        ({"uniqueItems": True}, [{"a": [1]}, {"a": [1]}], "non-unique"),
        ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}, {"a": True}], None),
        ({"uniqueItems": False}, [1, 1], None),
        ({"uniqueItems": True}, "11", None),
        ({"const": {"a": 1}}, {"a": 1.0}, None),
        ({"const": 1}, True, "was expected"),
        ({"enum": [1, "a", [None]]}, [None], None),
        ({"enum": [1, "a"]}, True, "is not one of"),
        ({"pattern": "^a+$"}, 7, None),
        ({"pattern": "^a+$"}, "ab", "does not match"),
    ],
)
def test_our_keywords_mean_what_the_librarys_mean(schema, document, expected):
    from jsonschema import Draft202012Validator

    assert (not errors(schema, document)) is Draft202012Validator(schema).is_valid(document)
    assert [expected in message for message in errors(schema, document)] == ([True] if expected else [])


def test_many_small_objects_are_told_apart():
    assert errors({"uniqueItems": True}, [{"n": [number]} for number in range(20_000)]) == []
