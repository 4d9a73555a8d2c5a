"""What providers leave out of an answer, or count in their own way."""

from __future__ import annotations

from typing import Any

import pytest

from completions.answers import with_roles
from completions.completion import Completion
from foundation.token_counts import whole_prompt


@pytest.mark.parametrize("message", [{"content": "x"}, {"content": "x", "role": None}, {"role": "", "content": "x"}])
def test_an_answer_without_a_role_is_the_assistants(message: dict[str, Any]) -> None:
    response = {"id": "c", "choices": [{"index": 0, "message": message}, {"message": {"role": "tool"}}]}
    [answer, other] = with_roles(response)["choices"]
    assert answer == {"index": 0, "message": {"role": "assistant", "content": "x"}}
    assert other == {"message": {"role": "tool"}}


@pytest.mark.parametrize("choice", [{"finish_reason": "content_filter"}, {"message": None}])
def test_a_choice_without_a_message_has_an_empty_one(choice: dict[str, Any]) -> None:
    [answer] = with_roles({"choices": [choice]})["choices"]
    assert answer["message"] == {"role": "assistant", "content": None}


@pytest.mark.parametrize("choices", [None, {}, "odd", [], ["odd"], [{"message": "odd"}], [{"message": {"role": "x"}}]])
def test_what_has_another_shape_is_left_as_it_is(choices: Any) -> None:
    response = {"choices": choices}
    assert with_roles(response) is response


def test_cached_tokens_above_the_prompts_were_counted_apart() -> None:
    """A prompt of 86 tokens beside 17,817 from the cache has 17,903."""
    assert [whole_prompt(*counts) for counts in ((86, 17_817), (100, 40), (7, 7), (0, 0))] == [17_903, 100, 7, 0]
    usage = {"prompt_tokens": 86, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 17_817}}
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    answered = {"choices": [{"message": {"role": "assistant", "content": "y"}}], "usage": usage}
    assert Completion.of({"request": asked, "response": answered}, at=1).tokens == (17_903, 17_817, 5)
