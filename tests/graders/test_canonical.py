import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.canonical import canonical

leaves = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 0.5, 1.0]) | st.text("ab", max_size=2)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=3),
    max_leaves=6,
)


def same(first, other):
    """Equal as JSON, value by value."""
    if isinstance(first, bool) or isinstance(other, bool):
        return first is other
    if isinstance(first, list) and isinstance(other, list):
        return len(first) == len(other) and all(map(same, first, other))
    if isinstance(first, dict) and isinstance(other, dict):
        return first.keys() == other.keys() and all(same(first[name], other[name]) for name in first)
    return first == other


@given(documents, documents)
def test_two_are_equal_where_their_json_is(first, other):
    assert (canonical(first) == canonical(other)) == same(first, other)
    assert hash(canonical(first)) == hash(canonical(orjson.loads(orjson.dumps(first))))


@pytest.mark.parametrize(
    ("first", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1.0}, True),
        ([["array"]], ["array"], False),
        ({}, [], False),
        (["boolean", True], True, False),
        (2**53 + 1, float(2**53), False),
    ],
)
def test_pairs(first, other, equal):
    assert (canonical(first) == canonical(other)) is equal
