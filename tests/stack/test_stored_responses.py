"""Responses at the gateway's own URL, with the SDK, where the provider has chat completions alone."""

from __future__ import annotations

import pytest
from openai import NotFoundError, OpenAI

from local.demo.plan import TEACHER
from local.stack.info import StackInfo


@pytest.fixture
def application(stack: StackInfo) -> OpenAI:
    return OpenAI(base_url=stack.gateway_url, api_key=stack.api_key)


def test_an_application_reads_and_deletes_its_responses_where_it_makes_them(application: OpenAI) -> None:
    responses = application.responses
    first = responses.create(model=TEACHER, input="Where is my card?")
    with responses.stream(model=TEACHER, input="And my pin?", previous_response_id=first.id) as stream:
        second = stream.get_final_response()

    assert responses.retrieve(second.id).output_text == second.output_text
    items = responses.input_items.list(second.id, order="asc").data
    assert [item.content[0].text for item in items if item.type == "message"] == [  # type: ignore[union-attr]
        "Where is my card?",
        first.output_text,
        "And my pin?",
    ]
    responses.delete(second.id)
    with pytest.raises(NotFoundError):
        responses.retrieve(second.id)
    assert responses.retrieve(first.id).output_text == first.output_text
