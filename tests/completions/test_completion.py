from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completions.completion import Completion

MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello?"}]


def pushed(*, request=None, response=None, **fields):
    answer = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}
    return {
        "request": {"model": "gpt-4o", "messages": MESSAGES, **(request or {})},
        "response": {"choices": [answer], **(response or {})},
        **fields,
    }


def of(*, at=1_000, request=None, response=None, **fields):
    return Completion.of(pushed(request=request, response=response, **fields), at=at)


def test_the_provider_s_id_model_and_time_are_kept():
    completion = of(response={"id": "chatcmpl-1", "created": 500, "model": "gpt-4o-2024-08-06"})
    assert (completion.id, completion.created, completion.model) == ("chatcmpl-1", 500, "gpt-4o-2024-08-06")
    assert completion.models == {"gpt-4o", "gpt-4o-2024-08-06"}


def test_what_the_response_lacks_is_filled_in():
    completion = of(at=777)
    assert completion.id.startswith("chatcmpl-")
    assert completion.models == {"gpt-4o"}
    assert {name: completion.response[name] for name in ("id", "model", "object")} == {
        "id": completion.id,
        "model": "gpt-4o",
        "object": "chat.completion",
    }


def test_the_time_of_arrival_is_no_part_of_the_content():
    assert (of(at=777).created, of(at=778).created) == (777, 778)
    assert of(at=777).content_hash == of(at=778).content_hash


def test_the_time_of_the_record_goes_before_the_response_s_and_the_arrival():
    assert of(at=3, created=1, response={"created": 2}).created == 1
    assert of(at=3, response={"created": 2}).created == 2
    assert of(at=3).created == 3


def test_a_record_without_an_id_has_the_same_one_at_every_push():
    assert of(at=1).id == of(at=2).id
    assert of(at=1).id != of(at=1, metadata={"a": "b"}).id
    assert of(at=1).id != of(at=1, request={"temperature": 0}).id


def test_metadata_of_the_record_goes_before_the_request_s():
    assert of(request={"metadata": {"a": "1"}}).metadata == {"a": "1"}
    assert of(request={"metadata": {"a": "1"}}, metadata={"b": "2"}).metadata == {"b": "2"}
    assert of().metadata == {}


@pytest.mark.parametrize(
    "other",
    [
        {"request": {"seed": 1}},
        {"response": {"id": "x", "usage": {"total_tokens": 1}}},
        {"metadata": {"k": "v"}},
        {"reference": "billing"},
        {"reference": 0},
        {"latency_ms": 12},
        {"provider": "lab"},
        {"response": {"id": "x", "model": "gpt-4o-2024-08-06"}},
    ],
)
def test_other_content_has_another_hash(other):
    assert of(response={"id": "x"}).content_hash != of(**{"response": {"id": "x"}, **other}).content_hash


def test_the_hash_is_of_the_content_and_not_of_its_spelling():
    completion = of(metadata={"a": "1", "b": "2"})
    assert of(metadata={"b": "2", "a": "1"}).content_hash == completion.content_hash
    assert len(completion.content_hash) == 20
    assert Completion.read(completion.line()).content_hash == completion.content_hash


def test_kept_under_another_id_it_is_the_same_completion():
    completion = of(response={"id": "chatcmpl-1"})
    kept = completion.under("chatcmpl-1-abcd")
    assert (kept.id, kept.origin_id) == ("chatcmpl-1-abcd", "chatcmpl-1")
    assert kept.content_hash == completion.content_hash
    assert completion.origin_id is None


@given(
    reference=st.none() | st.text() | st.dictionaries(st.text(), st.integers(-(2**53), 2**53)),
    metadata=st.dictionaries(st.text(), st.text()),
    text=st.text(),
)
def test_a_line_of_json_is_the_whole_completion(reference, metadata, text):
    completion = of(reference=reference, metadata=metadata, request={"user": text})
    assert b"\n" not in completion.line()
    assert Completion.read(completion.line()) == completion


def test_parameters_are_what_samples_another_model_alike():
    request = {
        "temperature": 0,
        "max_completion_tokens": 5,
        "response_format": {"type": "json_object"},
        "tools": [],
        "seed": 7,
        "store": True,
        "stream": True,
        "stream_options": {},
        "metadata": {"a": "b"},
        "n": 3,
        "user": "u",
    }
    assert of(request=request).parameters == {
        "temperature": 0,
        "max_completion_tokens": 5,
        "response_format": {"type": "json_object"},
        "tools": [],
        "seed": 7,
    }


def test_a_row_shows_graders_input_reference_and_tags():
    completion = of(reference="billing", metadata={"split": "test"}, latency_ms=9, request={"temperature": 0})
    item = {"input": MESSAGES, "reference": "billing", "metadata": {"split": "test"}, "completion_id": completion.id}
    assert completion.row(with_sample=False) == {"item": item, "request": {"temperature": 0}}
    assert completion.row() == {
        "item": item,
        "request": {"temperature": 0},
        "sample": completion.response,
        "latency_ms": 9,
    }


def test_the_reference_stays_out_of_what_a_model_is_asked():
    completion = of(reference="the secret answer")
    assert "the secret answer" not in str(completion.row(with_sample=False)["request"])
    assert "the secret answer" not in str(completion.messages)


def test_the_first_choice():
    choices = [{"index": number, "message": {"role": "assistant", "content": str(number)}} for number in (0, 1)]
    assert of(response={"choices": choices}).choice["message"]["content"] == "0"


@pytest.mark.parametrize(
    "line",
    [
        b"no json: my secret",
        b'["my secret"]',
        b"{}",
        b'{"id": 3, "request": "my secret", "response": "my secret"}',
        of(response={"id": "my secret"}).line().replace(b'"id":"my secret"', b'"id":["my secret"]', 1),
        of(request={"user": "my secret"}).line().replace(b'"metadata":{}', b'"metadata":null'),
    ],
)
def test_a_line_that_is_no_completion_is_refused_without_its_text(line):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the recorder catches no more
        Completion.read(line)
    assert "my secret" not in str(refused.value)


def test_what_a_later_version_adds_to_a_line_is_no_harm():
    completion = Completion.read(of(response={"id": "a"}).line()[:-1] + b',"added_later":1}')
    assert completion == of(response={"id": "a"})
    assert completion.under("b").origin_id == "a"


def test_a_completion_never_changes():
    for completion in (of(), Completion.read(of().line())):
        with pytest.raises(FrozenInstanceError):
            completion.model = "another"


def test_tokens_are_counted_as_the_provider_says():
    details = {"cached_tokens": 3}
    completion = of(response={"usage": {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": details}})
    assert (completion.prompt_tokens, completion.cached_tokens, completion.completion_tokens) == (7, 3, 2)
    assert (completion.finish_reason, completion.has_tools, completion.failed) == ("stop", False, False)


@pytest.mark.parametrize("usage", [None, "7", [], {}, {"prompt_tokens": "7", "completion_tokens": True}, {
    "prompt_tokens": -1, "completion_tokens": 2.5, "prompt_tokens_details": 3}])  # fmt: skip
def test_an_odd_usage_counts_nothing(usage):
    completion = of(response={"usage": usage})
    assert (completion.prompt_tokens, completion.cached_tokens, completion.completion_tokens) == (None, None, None)


def test_tools_were_offered_or_called():
    called = {"message": {"role": "assistant", "tool_calls": [{"id": "c"}]}, "finish_reason": "tool_calls"}
    assert of(request={"tools": [{"type": "function"}]}).has_tools
    assert of(request={"functions": [{"name": "f"}]}).has_tools
    assert of(response={"choices": [called]}).has_tools
    assert not of(request={"tools": []}).has_tools


@pytest.mark.parametrize("choices", [[], None, "text"])
def test_without_a_choice_a_call_failed(choices):
    completion = of(response={"choices": choices, "error": {"message": "no"}})
    assert completion.failed
    assert (completion.finish_reason, completion.has_tools) == (None, False)


def test_where_it_was_imported_from_and_why_it_cannot_train_are_no_content():
    plain = of(response={"id": "a"})
    assert plain.content_hash == of(response={"id": "a"}, origin="openai", untrainable="x").content_hash
    assert plain.content_hash != of(response={"id": "a"}, original={"request": {}}).content_hash
