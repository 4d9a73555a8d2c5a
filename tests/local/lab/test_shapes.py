import json

import pytest

from local.lab.shapes import Finding, fill, schema_of
from local.lab.wire import ApiError

FINDING = Finding(choose=max, reason="because", score=0.75)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": ["a", "c", "b"]}, "c"),
        ({"enum": [3, 4]}, 3),
        ({"const": "x"}, "x"),
        ({"type": "string"}, "because"),
        ({"type": "number"}, 0.75),
        ({"type": "integer", "minimum": 1, "maximum": 5}, 4),
        ({"type": "boolean"}, True),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "object"}, {}),
        (
            {"type": "object", "properties": {"in": {"type": "object", "properties": {"l": {"enum": ["z"]}}}}},
            {"in": {"l": "z"}},
        ),
    ],
)
def test_a_value_conforms_to_its_schema(schema, value):
    assert json.loads(fill(schema, FINDING)) == value


def test_a_schema_beyond_the_lab_is_refused():
    with pytest.raises(ApiError, match="unions"):
        fill({"type": "object", "properties": {"a": {"$ref": "#/x"}}}, FINDING)


def test_only_a_json_schema_format_has_a_schema():
    assert schema_of(None) is None
    assert schema_of({"type": "json_object"}) is None
    assert schema_of({"type": "json_schema", "json_schema": {"schema": {}}}) == {}
    with pytest.raises(ApiError) as caught:
        schema_of({"type": "json_schema"})
    assert caught.value.body["error"]["param"] == "response_format.json_schema.schema"
