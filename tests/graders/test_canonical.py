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


def same(one, other):
    """Equal as JSON, value by value."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return one == other


@given(documents, documents)
def test_two_are_equal_where_their_json_is(one, other):
    assert (canonical(one) == canonical(other)) == same(one, other)
    assert hash(canonical(one)) == hash(canonical(orjson.loads(orjson.dumps(one))))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
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
def test_pairs(one, other, equal):
    assert (canonical(one) == canonical(other)) is equal
