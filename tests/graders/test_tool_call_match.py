from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graders.grade import TooLarge
from tests.graders.asking import criterion, grade

MATCH = {"type": "tool_call_match", "name": "t", "reference": "{{ item.calls }}"}
calls = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from("ab"),
            "arguments": st.dictionaries(st.sampled_from("xy"), st.integers(0, 1), max_size=2),
        }
    ),
    max_size=4,
)


def matched(made, wanted, **options):
    tools = [{"id": f"call_{n}", "type": "function", "function": call} for n, call in enumerate(made)]
    return grade({**MATCH, **options}, {"calls": wanted}, {"output_tools": tools})


@given(calls)
def test_calls_match_themselves_in_any_order(made):
    for order in permutations(made):
        assert matched(list(order), made).score == 1
    assert matched(made, made, order="strict").passed


@given(first=calls, other=calls)
def test_a_match_is_symmetric(first, other):
    result = matched(first, other)
    assert 0 <= result.score <= 1
    assert result.score == matched(other, first).score


@given(made=calls, wanted=calls)
def test_a_looser_comparison_never_pairs_fewer(made, wanted):
    def pairs(**options):
        return matched(made, wanted, **options).sample["matched"]

    assert pairs(order="strict") <= pairs() <= pairs(arguments="include") <= pairs(arguments="ignore")


@given(made=calls, wanted=calls)
def test_as_many_calls_pair_up_as_can(made, wanted):
    def fits(first, other):
        return first["name"] == other["name"] and first["arguments"].items() <= other["arguments"].items()

    short, long = sorted((wanted, made), key=len)
    best = max(
        sum(
            fits(*((first, other) if short is wanted else (other, first)))
            for first, other in zip(short, order, strict=False)
        )
        for order in permutations(long)
    )
    assert matched(made, wanted, arguments="include").sample["matched"] == best


@pytest.mark.parametrize(
    "change", [{"arguments": "like"}, {"order": "some"}, {"extra_calls": "forbid"}, {"pass_threshold": 2}]
)
def test_a_wrong_definition_is_refused(change):
    with pytest.raises(ValidationError):
        criterion({**MATCH, **change})


@pytest.mark.parametrize(
    "tools", ["null", "[]", "{}", "7", '"a"', "[7]", '[{"function": {}}]', '[{"arguments": {}}]', "{"]
)
def test_whatever_a_model_answers_is_a_finding(tools):
    result = grade({**MATCH, "input": tools}, {"calls": [{"name": "a"}]}, {})
    assert not result.passed
    assert result.score == 0


@pytest.mark.parametrize(
    "calls",
    [[{"name": "f", "arguments": {}}] * 257, [{"name": "f", "arguments": {str(n): n for n in range(5_001)}}] * 2],
)
def test_more_calls_or_arguments_than_can_be_held_against_others_are_told(calls):
    with pytest.raises(TooLarge, match="256 calls and 10000 arguments"):
        matched(calls, [])
