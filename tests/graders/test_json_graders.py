import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graders.grade import TooLarge
from tests.graders.asking import criterion, grade

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
SCHEMA = {"type": "json_schema", "name": "valid"}
MATCH = {"type": "json_match", "name": "same", "reference": "{{ item.reference }}"}

leaves = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, 1.0]) | st.text("ab/~.0", max_size=3)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~.0", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def matched(text, reference, **options):
    row = {"reference": orjson.dumps(reference).decode()}
    return grade({**MATCH, **options}, row, {"output_text": orjson.dumps(text).decode()})


@given(documents)
def test_a_document_matches_itself(document):
    result = matched(document, document)
    assert result.passed
    assert result.score == 1
    assert set(result.sample["fields"].values()) == {1.0}


@given(first=documents, other=documents)
def test_a_match_is_symmetric_and_whole_only_for_equals(first, other):
    result = matched(first, other)
    assert 0 <= result.score <= 1
    assert result.score == matched(other, first).score
    assert result.passed == (canonical(first) == canonical(other))


def canonical(document):
    """Comparable as JSON: 1 is 1.0, true is not 1."""
    if isinstance(document, dict):
        return {name: canonical(value) for name, value in document.items()}
    if isinstance(document, list):
        return [canonical(value) for value in document]
    return (isinstance(document, bool), document)


def test_every_field_has_a_score_of_its_own():
    result = matched({"a": {"b/c": 1, "d": [1, 9]}, "x": 0}, {"a": {"b/c": 1, "d": [1, 2]}, "gone": None})
    assert result.sample["fields"] == {"/a/b~1c": 1.0, "/a/d/0": 1.0, "/a/d/1": 0.0, "/gone": 0.0, "/x": 0.0}
    assert result.score == pytest.approx(2 / 5)


def test_a_deep_document_is_compared():
    deep = "[" * 900 + "1" + "]" * 900
    assert grade({**MATCH, "reference": deep}, {}, {"output_text": deep}).passed


def test_what_is_wrong_is_told():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["m"]}
    result = grade({**SCHEMA, "json_schema": schema}, {}, {"output_text": '{"n": "x"}'})
    assert set(result.sample["errors"]) == {"$: 'm' is a required property", "$.n: 'x' is not of type 'integer'"}


def test_few_errors_are_told_and_briefly():
    schema = {"items": {"type": "integer"}}
    result = grade({**SCHEMA, "json_schema": schema}, {}, {"output_text": orjson.dumps(["x" * 999] * 50).decode()})
    assert len(result.sample["errors"]) == 5
    assert all(len(error) <= 300 for error in result.sample["errors"])


def test_the_draft_that_a_schema_names_is_its_draft():
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 3, "exclusiveMaximum": True}
    assert not grade({**SCHEMA, "json_schema": old}, {}, {"output_text": "3"}).passed
    assert grade({**SCHEMA, "json_schema": old}, {}, {"output_text": "2"}).passed


def test_a_pattern_of_a_schema_cannot_run_away():
    schema = {"pattern": "^(a+)+$"}
    assert not grade({**SCHEMA, "json_schema": schema}, {}, {"output_text": f'"{"a" * 50_000}!"'}).passed


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"type": "text"}, r"\$\.type"),
        ({"properties": {"a": {"minimum": "1"}}}, r"\$\.properties\.a\.minimum"),
        ({"pattern": "(?=a)"}, "RE2"),
        ({"properties": {"a": {"anyOf": [{"pattern": "("}]}}}, "RE2"),
        ({"patternProperties": {"^x": {}}}, "patternProperties is not supported"),
        ({"items": {"$ref": "https://example.com/schema.json"}}, "nothing is fetched"),
        ({"$ref": "file:///etc/passwd"}, "nothing is fetched"),
        ([], "dictionary"),
        ({"properties": {"a": {"$schema": DRAFT_7, "pattern": "x"}}}, r"\$schema.*root"),
        ({"$defs": {"a": {"$id": "urn:a", "$schema": DRAFT_7}}, "$ref": "#/$defs/a"}, r"\$schema.*root"),
        ({"const": {"$schema": DRAFT_7}, "$ref": "#/const"}, r"\$schema.*root"),
        ({"default": [{"patternProperties": {"^(a+)+$": {}}}], "$ref": "#/default/0"}, "patternProperties is not"),
    ],
)
def test_a_wrong_schema_is_refused_and_named(schema, named):
    with pytest.raises(ValidationError, match=named):
        criterion({**SCHEMA, "json_schema": schema})


def test_data_in_a_schema_is_no_schema():
    schema = {"const": {"pattern": "(", "$ref": "https://example.com"}}
    result = grade({**SCHEMA, "json_schema": schema}, {}, {"output_text": orjson.dumps(schema["const"]).decode()})
    assert result.passed


def test_a_stored_definition_reads_as_it_was():
    wanted = criterion({**SCHEMA, "json_schema": {"type": "object"}})
    assert criterion(wanted.model_dump(mode="json")) == wanted


def test_the_root_of_a_schema_may_name_its_draft_and_a_property_may_be_called_so():
    schema = {"$schema": DRAFT_7, "properties": {"$schema": {"type": "string"}}, "required": ["$schema"]}
    assert grade({**SCHEMA, "json_schema": schema}, {}, {"output_text": '{"$schema": "x"}'}).passed
    assert not grade({**SCHEMA, "json_schema": schema}, {}, {"output_text": '{"$schema": 1}'}).passed


@pytest.mark.parametrize("draft", [DRAFT_7, "https://json-schema.org/draft/2020-12/schema"])
def test_no_pattern_runs_away_where_a_schema_refers_to_its_root(draft):
    schema = {"$schema": draft, "items": {"$ref": "#"}, "pattern": "^(a+)+$"}
    text = orjson.dumps(["a" * 50_000 + "!"]).decode()
    assert not grade({**SCHEMA, "json_schema": schema}, {}, {"output_text": text}).passed


def test_of_many_fields_the_first_that_differ_are_shown_and_the_rest_are_counted():
    result = matched(list(range(60)), [*range(58), 0, 0])
    assert result.score == pytest.approx(58 / 60)
    assert result.sample["fields_left_out"] == 10
    assert list(result.sample["fields"].items())[:3] == [("/58", 0.0), ("/59", 0.0), ("/0", 1.0)]


def test_the_pointer_of_a_deep_field_is_cut_at_its_beginning():
    (pointer,) = matched({"a" * 1_000: [7]}, {"a" * 1_000: [7]}).sample["fields"]
    assert len(pointer) == 301
    assert pointer.endswith("aaa/0")


def test_paths_that_are_too_many_and_too_deep_are_not_graded():
    deep = "[" * 500 + "1," * 2_500 + "1" + "]" * 500
    with pytest.raises(TooLarge, match="steps in all"):
        grade({**MATCH, "reference": deep}, {}, {"output_text": "1"})
