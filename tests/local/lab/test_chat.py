import json
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

MESSAGES = [
    {"role": "system", "content": "Categories: refund, shipping."},
    {"role": "user", "content": "I ask for a refund, it is the second time."},
]


def body(**fields):
    return {"model": "lab-small", "messages": MESSAGES, **fields}


def test_a_completion_is_openais_object(lab):
    answer = lab.post("/v1/chat/completions", json=body(temperature=0, seed=1, metadata={"a": "b"}, store=True))
    made = answer.json()
    assert ChatCompletion.model_validate(made, strict=True).to_dict() == made
    assert made["id"].startswith("chatcmpl-")
    assert made["model"] == "lab-small"
    assert made["choices"][0]["message"]["content"] == "refund"
    assert answer.headers["x-request-id"].startswith("req_")


def test_usage_counts_what_was_sent_and_said(sdk):
    usage = sdk.chat.completions.create(**body()).usage
    # 8 of "Categories: refund, shipping." + 12 of the question + 2 roles; "refund" is one.
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (22, 1, 23)
    assert sdk.chat.completions.create(**body(n=3)).usage.completion_tokens == 3


def test_n_gives_as_many_choices(sdk):
    assert [choice.index for choice in sdk.chat.completions.create(**body(n=3)).choices] == [0, 1, 2]


def test_a_stream_says_the_same_in_pieces(sdk):
    messages = [{"role": "user", "content": "This is a rather long sentence, in pieces."}]
    chunks = list(sdk.chat.completions.create(model="lab-small", messages=messages, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == messages[0]["content"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_ends_with_its_usage_where_asked(lab):
    sent = lab.post("/v1/chat/completions", json=body(stream=True, stream_options={"include_usage": True})).text
    *events, done = sent.strip().split("\n\n")
    chunks = [ChatCompletionChunk.model_validate_json(event.removeprefix("data: ")) for event in events]
    assert done == "data: [DONE]"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 23


def test_structured_output_conforms(sdk):
    schema = {"type": "object", "properties": {"label": {"type": "string", "enum": ["pass", "fail"]}}}
    answer = sdk.chat.completions.create(
        model="lab-judge",
        messages=[{"role": "user", "content": "Reference: refund\nAnswer: refund"}],
        response_format={"type": "json_schema", "json_schema": {"name": "label", "schema": schema}},
    )
    assert json.loads(answer.choices[0].message.content) == {"label": "pass"}


def test_an_unknown_model_is_not_found(sdk):
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(**body(model="gpt-9"))
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "lab-small" in caught.value.message


@pytest.mark.parametrize(
    ("sent", "param", "code"),
    [
        ({"messages": MESSAGES}, "model", "missing_required_parameter"),
        ({"model": "lab-small"}, "messages", "missing_required_parameter"),
        ({"model": "lab-small", "messages": []}, "messages", "invalid_value"),
        ({"model": "lab-small", "messages": [{"content": "a"}]}, "messages[0].role", "missing_required_parameter"),
        ({"model": "lab-small", "messages": [{"role": "user", "content": 4}]}, "messages[0].content", "invalid_value"),
        (body(n=99), "n", "invalid_value"),
        ([], None, "invalid_value"),
    ],
)
def test_a_bad_request_names_the_field(lab, sent, param, code):
    answer = lab.post("/v1/chat/completions", json=sent)
    assert answer.status_code == 400
    assert (answer.json()["error"]["param"], answer.json()["error"]["code"]) == (param, code)


def test_a_body_that_is_not_json_is_refused(lab):
    assert lab.post("/v1/chat/completions", content=b"{").status_code == 400


def test_a_long_conversation_is_answered(sdk):
    messages = [MESSAGES[0], {"role": "user", "content": "My refund, please. " * 1000}]
    assert sdk.chat.completions.create(**body(messages=messages)).choices[0].message.content == "refund"


def test_fifty_at_once_are_all_answered(lab, sdk):
    with ThreadPoolExecutor(50) as callers:
        answers = list(callers.map(lambda _: sdk.chat.completions.create(**body()), range(50)))
    assert {answer.choices[0].message.content for answer in answers} == {"refund"}
    assert lab.get("/lab/calls").json()["chat"] == {"lab-small": 50}


def test_models_are_listed_and_found_by_ids_with_slashes_and_colons(lab, sdk):
    row = {"messages": MESSAGES, "answers": {"meta/llama:8b": "refund"}}
    lab.post("/lab/recordings", content=json.dumps(row))
    assert [model.id for model in sdk.models.list()] == ["lab-small", "lab-judge", "meta/llama:8b"]
    retrieved = sdk.models.retrieve("meta/llama:8b")
    assert Model.model_validate(retrieved.to_dict(), strict=True).owned_by == "recording"
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("meta/other")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nope", 404), ("PUT", "/v1/models", 405)])
def test_an_unknown_url_is_answered_in_openais_form(lab, method, path, status):
    answer = lab.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == "unknown_url"
