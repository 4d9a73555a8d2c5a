"""How sure a model was: read of whole answers alone, the same in both APIs, and of odd ones never."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliases.alias import Cascade
from completions.confidence import of_completion, of_response
from tests.examples import examples

TOKENS = [{"token": "bill", "logprob": -0.25}, {"token": "ing", "logprob": -0.75}]


def choice(**fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "billing"}
    return {"index": 0, "finish_reason": "stop", "message": message, "logprobs": {"content": TOKENS}, **fields}


def response(parts: list[Any], *more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"status": "completed", "output": [{"type": "message", "content": parts}, *more], **fields}


def test_it_is_the_mean_of_the_tokens_in_either_api() -> None:
    assert of_completion({"choices": [choice()]}) == -0.5
    assert of_response(response([{"type": "output_text", "logprobs": TOKENS}])) == -0.5
    reasoning = {"type": "reasoning", "summary": []}
    assert of_response(response([{"type": "output_text", "logprobs": TOKENS}], reasoning)) == -0.5


def test_the_least_sure_of_several_counts_and_certainty_is_zero() -> None:
    certain = {"content": [{"token": "x", "logprob": 1e-7}]}
    assert of_completion({"choices": [choice(logprobs=certain), choice()]}) == -0.5
    assert of_completion({"choices": [choice(logprobs=certain)]}) == 0.0
    assert of_completion({"choices": [choice(), choice(logprobs=None)]}) is None


def test_whatever_it_is_may_be_the_threshold_of_a_cascade() -> None:
    for logprob in (-9999.0, -9999, 0, 0.01):
        read = of_completion({"choices": [choice(logprobs={"content": [{"logprob": logprob}]})]})
        assert read is not None
        assert Cascade(to="big", by="logprob", threshold=read).threshold == min(0, logprob)


@pytest.mark.parametrize(
    "body",
    [
        {},
        None,
        [],
        {"choices": None},
        {"choices": []},
        {"choices": ["x"]},
        {"choices": [choice(logprobs=None)]},
        {"choices": [choice(logprobs={"content": []})]},
        {"choices": [choice(logprobs={"content": None})]},
        {"choices": [choice(logprobs={"content": ["x"]})]},
        {"choices": [choice(logprobs={"content": [*TOKENS, {"logprob": None}]})]},
        {"choices": [choice(logprobs={"content": [*TOKENS, {"logprob": math.nan}]})]},
        {"choices": [choice(logprobs={"content": [{"logprob": True}]})]},
        {"choices": [choice(logprobs={"content": [{"logprob": 0.98}]})]},
        {"choices": [choice(logprobs={"content": [{"logprob": -1e30}]})]},
        {"choices": [choice(logprobs={"content": [{"logprob": -1e308}] * 2})]},
        {"choices": [choice(logprobs={"content": [{"logprob": -(10**400)}]})]},
        {"choices": [choice(finish_reason="length")]},
        {"choices": [choice(finish_reason="content_filter")]},
        {"choices": [choice(message=None)] * 2 + [choice(finish_reason=None)]},
        {"choices": [choice(message={"role": "assistant", "content": "x", "tool_calls": [{"id": "1"}]})]},
        {"choices": [choice(message={"role": "assistant", "refusal": "no"})]},
    ],
)
def test_of_no_whole_answer_with_log_probabilities_nobody_can_say(body: Any) -> None:
    assert of_completion(body) is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        None,
        response([]),
        response([{"type": "output_text"}]),
        response([{"type": "refusal", "refusal": "no"}]),
        response([{"type": "output_text", "logprobs": TOKENS}], status="incomplete"),
        response([{"type": "output_text", "logprobs": TOKENS}], {"type": "function_call", "name": "f"}),
        response([{"type": "output_text", "logprobs": TOKENS}], {"type": "custom_tool_call", "name": "f"}),
        response([{"type": "output_text", "logprobs": TOKENS}], {"type": "web_search_call"}),
        response([{"type": "output_text", "logprobs": TOKENS}, {"type": "output_text", "logprobs": []}]),
        {"status": "completed", "output": "x"},
    ],
)
def test_nor_of_such_a_response(body: Any) -> None:
    assert of_response(body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3), lambda some: st.lists(some, max_size=3)
)


@settings(max_examples=examples(100))
@given(st.dictionaries(st.sampled_from(["choices", "output", "status"]), JSON), JSON, JSON)
def test_whatever_a_provider_says_it_is_a_number_of_at_most_zero_or_nothing(body: Any, odd: Any, other: Any) -> None:
    for one in (
        body,
        {"choices": [choice(logprobs={"content": odd})]},
        {"choices": [choice(message=other, logprobs=odd)]},
    ):
        for read in (of_completion(one), of_response(one)):
            assert read is None or (read <= 0.0 and math.isfinite(read))
