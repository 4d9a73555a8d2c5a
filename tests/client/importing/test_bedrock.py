import gzip
import json

import boto3
import pytest
from moto import mock_aws

from stillhouse.importing import bedrock, bedrock_logs
from stillhouse.importing.source import Skipped, Unmapped
from stillhouse.importing.stopped import Stopped
from tests.client.importing.build import imported, read_items

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"


def log(asked, answered, **more):
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2025-03-11T00:38:02Z",
        "accountId": "123456789012",
        "identity": {"arn": "arn:aws:iam::123456789012:user/app"},
        "region": "us-east-1",
        "requestId": "ff4b6c63",
        "operation": "Converse",
        "modelId": CLAUDE,
        "input": {"inputContentType": "application/json", "inputBodyJson": asked, "inputTokenCount": 4},
        "output": {"outputContentType": "application/json", "outputBodyJson": answered, "outputTokenCount": 38},
        "requestMetadata": {"feature": "triage"},
        **more,
    }


def converse(*content, stop="end_turn"):
    return {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": stop,
        "metrics": {"latencyMs": 302},
        "usage": {"inputTokens": 4, "outputTokens": 38, "totalTokens": 52, "cacheReadInputTokens": 10},
    }


def record(row):
    return bedrock.record_of(row, pytest.fail)


HELLO = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}


def test_a_converse_call():
    asked = {
        "system": [{"text": "be brief"}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [{"text": "weather?"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                    {"text": "I look."},
                    {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"city": "Köln"}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "t1", "content": [{"json": {"c": 9}}], "status": "success"}},
                    {"text": "and this?"},
                    {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                ],
            },
        ],
        "inferenceConfig": {"maxTokens": 512, "temperature": 0, "topP": 0.9, "stopSequences": []},
        "additionalModelRequestFields": {"top_k": 5},
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "look", "description": "d", "inputSchema": {"json": {"type": "object"}}}}],
            "toolChoice": {"any": {}},
        },
    }
    converted = record(log(asked, converse({"text": "9 "}, {"text": "degrees"})))
    look = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"city":"Köln"}'}}
    assert converted.request == {
        "model": CLAUDE,
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": "I look.", "tool_calls": [look]},
            {"role": "tool", "tool_call_id": "t1", "content": '{"c":9}'},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "and this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                ],
            },
        ],
        "max_tokens": 512,
        "temperature": 0,
        "top_p": 0.9,
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "d", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "required",
    }
    assert converted.response["choices"][0]["message"] == {"role": "assistant", "content": "9 degrees"}
    assert converted.response["choices"][0]["finish_reason"] == "stop"
    assert converted.response["usage"] == {
        "prompt_tokens": 14,
        "completion_tokens": 38,
        "total_tokens": 52,
        "prompt_tokens_details": {"cached_tokens": 10},
    }
    assert (converted.id, converted.created, converted.latency_ms, converted.origin) == (
        "ff4b6c63",
        1741653482,
        302,
        "bedrock",
    )
    assert converted.metadata == {"feature": "triage"}
    assert converted.notes == ["thinking: left out", "parameter top_k: left out"]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("stop_sequence", "stop"),
    ],
)
def test_why_it_ended(stop, reason):
    assert record(log(HELLO, converse({"text": "x"}, stop=stop))).response["choices"][0]["finish_reason"] == reason


ASKED_CLAUDE = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 100,
    "temperature": 0.5,
    "stop_sequences": ["END"],
    "top_k": 3,
    "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "9"}]}],
        },
    ],
    "tools": [{"name": "look", "description": "d", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
}
USED_CLAUDE = {"input_tokens": 5, "output_tokens": 7, "cache_creation_input_tokens": 1}
ANSWERED_CLAUDE = {
    "id": "msg_bdrk_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-3-haiku-20240307",
    "content": [
        {"type": "text", "text": "I look"},
        {"type": "tool_use", "id": "t2", "name": "look", "input": {"at": [1]}},
    ],
    "stop_reason": "tool_use",
    "usage": USED_CLAUDE,
}
STREAMED_CLAUDE = [
    {
        "type": "message_start",
        "message": {
            **ANSWERED_CLAUDE,
            "content": [],
            "stop_reason": None,
            "usage": {**USED_CLAUDE, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "I "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "look"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "t2", "name": "look", "input": {}},
    },
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"at": '}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "[1]}"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"invocationLatency": 640}},
]


@pytest.mark.parametrize(("answered", "latency"), [(ANSWERED_CLAUDE, None), (STREAMED_CLAUDE, 640)])
def test_anthropics_messages_whole_and_streamed(answered, latency):
    converted = record(log(ASKED_CLAUDE, answered, operation="InvokeModel"))
    assert converted.request["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "9"},
    ]
    settings = {name: value for name, value in converted.request.items() if name not in ("messages", "tools")}
    assert settings == {
        "model": CLAUDE,
        "max_tokens": 100,
        "temperature": 0.5,
        "stop": ["END"],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": False,
    }
    [choice] = converted.response["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "I look"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"at":[1]}'}
    assert converted.response["usage"] == {"prompt_tokens": 6, "completion_tokens": 7, "total_tokens": 13}
    assert converted.response["id"] == "ff4b6c63"
    assert (converted.latency_ms, converted.notes) == (latency, ["parameter top_k: left out"])


ASKED_OPENAI = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "stream": True, "top_k": 1}
ANSWER = {"role": "assistant", "content": "yes", "refusal": None}


@pytest.mark.parametrize(
    "answered",
    [
        {"id": "chatcmpl-x", "choices": [{"index": 0, "finish_reason": "stop", "message": ANSWER}]},
        [
            {"id": "chatcmpl-x", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "ye"}}]},
            {"id": "chatcmpl-x", "choices": [{"index": 0, "delta": {"content": "s"}, "finish_reason": "stop"}]},
        ],
    ],
)
def test_bodies_of_openais_shape_whole_and_streamed(answered):
    converted = record(log(ASKED_OPENAI, answered, modelId="openai.gpt-oss-120b-1:0"))
    assert converted.request == {
        "model": "openai.gpt-oss-120b-1:0",
        "messages": ASKED_OPENAI["messages"],
        "max_tokens": 9,
    }
    assert converted.response["choices"] == [{"index": 0, "finish_reason": "stop", "message": ANSWER}]
    assert (converted.id, converted.response["model"]) == ("ff4b6c63", "openai.gpt-oss-120b-1:0")
    assert converted.notes == ["parameter top_k: left out"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (log({"inputText": "x"}, {"embedding": [1]}, modelId="amazon.titan-embed"), "a body of amazon.titan-embed"),
        (log({"prompt": "x"}, {"generation": "y", "stop_reason": "stop"}, modelId="meta.llama3"), "a body of meta"),
        (log(HELLO, converse({"video": {}})), "content block 'video'"),
        (log(HELLO, converse({"text": "x"}, stop="new")), "stop reason 'new'"),
        (log({"messages": [{"role": "user", "content": [{"document": {}}]}]}, converse({"text": "x"})), "'document'"),
        (log(ASKED_CLAUDE, STREAMED_CLAUDE[:-1]), "a stream without its end"),
        (log({**ASKED_CLAUDE, "tools": [{"type": "bash_20250124", "name": "bash"}]}, ANSWERED_CLAUDE), "bash_20250124"),
    ],
)
def test_what_is_no_chat_is_named_not_guessed(row, reason):
    with pytest.raises(Unmapped, match=reason):
        record(row)


@pytest.mark.parametrize(
    "row",
    [
        {"schemaType": "other"},
        log(HELLO, converse({"text": "x"}), errorCode="ThrottlingException"),
        log(HELLO, None),
        {**log(HELLO, converse({"text": "x"})), "input": {}},
    ],
)
def test_what_is_no_completion_is_passed_over(row):
    with pytest.raises(Skipped):
        record(row)


# ------------------------------------------------------------------ where logs lie

PREFIX = "logs/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/2025/03/11"


def lines(*rows):
    return gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def call(number):
    return log(HELLO, converse({"text": f"answer {number}"}), requestId=f"r{number}")


def objects():
    """Two hours of logs, one call with bodies of their own, and what else lies there."""
    large = call(3)
    for side, key in (("input", "r3_input.json.gz"), ("output", "r3_output.json.gz")):
        del large[side][f"{side}BodyJson"]
        large[side][f"{side}BodyS3Path"] = f"s3://bucket/{PREFIX}/01/data/{key}"
    elsewhere = call(4)
    del elsewhere["output"]["outputBodyJson"]
    elsewhere["output"]["outputBodyS3Path"] = f"s3://other/{PREFIX}/01/data/r3_output.json.gz"
    return {
        f"{PREFIX}/amazon-bedrock-logs-permission-check": b"",
        f"{PREFIX}/00/20250311T0038_a.json.gz": lines(call(1), call(2)),
        f"{PREFIX}/01/20250311T0138_b.json.gz": lines(large, elsewhere, call(5)),
        f"{PREFIX}/01/data/r3_input.json.gz": gzip.compress(json.dumps(HELLO).encode()),
        f"{PREFIX}/01/data/r3_output.json.gz": gzip.compress(json.dumps(converse({"text": "large"})).encode()),
    }


@pytest.fixture
def bucket(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3")
        for name in ("bucket", "other"):
            s3.create_bucket(Bucket=name)
            for key, body in objects().items():
                s3.put_object(Bucket=name, Key=key, Body=body)
        yield "s3://bucket/logs"


@pytest.fixture
def copy(tmp_path):
    """What `aws s3 sync s3://bucket/logs/AWSLogs .` leaves."""
    for key, body in objects().items():
        path = tmp_path / "copy" / key.removeprefix("logs/AWSLogs/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return str(tmp_path / "copy")


@pytest.fixture(params=["bucket", "copy"])
def place(request):
    return request.getfixturevalue(request.param)


def test_logs_are_read_in_order_with_their_large_bodies(place, taking, tmp_path):
    counts = imported(bedrock_logs.source(place), taking, tmp_path / "state.json")
    assert [record["response"]["id"] for record in taking.records][:3] == ["r1", "r2", "r3"]
    assert taking.records[2]["response"]["choices"][0]["message"]["content"] == "large"
    assert counts.read == 5


def test_a_log_does_not_decide_what_else_is_read(bucket):
    records_there = read_items(bedrock_logs.source(bucket))
    assert [str(record) for record in records_there if isinstance(record, Unmapped)] == [
        "a large body in another bucket"
    ]


def test_a_path_does_not_lead_out_of_the_copy(copy, tmp_path):
    (tmp_path / "secret.json").write_text(json.dumps(converse({"text": "secret"})))
    row = call(1)
    del row["output"]["outputBodyJson"]
    row["output"]["outputBodyS3Path"] = "s3://bucket/../secret.json"
    (tmp_path / "copy" / "x.json").write_text(json.dumps(row))
    assert "a large body that is not in this folder" in [
        str(record) for record in read_items(bedrock_logs.source(copy))
    ]


def test_reading_goes_on_in_the_middle_of_an_object(place):
    source = bedrock_logs.source(place)
    items = list(source.items(None))
    for number in (1, 2, 3):
        assert [item.at for item in source.items(items[number - 1].cursor)] == [item.at for item in items[number:]]


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_cannot_be_read_is_named():
    with pytest.raises(Stopped, match=r"s3://nobodys.*NoSuchBucket"):
        read_items(bedrock_logs.source("s3://nobodys/x"))


def test_twice_into_the_system_is_the_same_list(copy, into, listed, tmp_path):
    for _ in range(2):
        imported(bedrock_logs.source(copy), into, tmp_path / "state.json")
        assert [(completion["id"], completion["origin"]) for completion in listed()] == [
            (f"r{n}", "bedrock") for n in (1, 2, 3, 4, 5)
        ]
