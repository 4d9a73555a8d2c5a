"""Every kind of provider behind gateway and eval: tools, structured output, streams, captures with usage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from foundation import aws
from local.fakes.walker import hold
from providers import registry
from providers.kinds import KINDS
from tests.flow.system import System
from tests.providers.runtime import USAGE, Runtime, answers, refuses, running

ARNS = {
    "bedrock": "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghij12",
    "bedrock_imported": "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghij12",
}
PATHS = {"openai": "/v1", "sagemaker": "/endpoints/e/openai/v1"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {"warm": {"type": "boolean"}}}
ASK = [{"role": "user", "content": "Is it warm in Rome?"}]


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with running() as made:
        yield made
    aws.bedrock_runtime.cache_clear()


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest, system: System, runtime: Runtime) -> Iterator[str]:
    """The name of a model at a provider of this kind, which was added by the API."""
    registry.forget()
    kind, name = request.param, ARNS.get(request.param, "small")
    region = {} if kind == "openai" else {"region": "us-east-1"}
    url = runtime.url + PATHS.get(kind, "")
    system.ok("POST", "/v1/providers", {"name": "mine", "kind": kind, "base_url": url, "models": [name], **region})
    if kind in ARNS:
        hold(aws.bedrock_runtime("us-east-1", url))
    yield name
    aws.bedrock_runtime.cache_clear()
    registry.forget()


def events(text: Any) -> list[dict[str, Any]]:
    raw = text if isinstance(text, str) else text.decode()
    return [json.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: {")]


def test_tools_and_structured_output_are_answered_and_captured_with_usage(
    model: str, system: System, runtime: Runtime
) -> None:
    runtime.will(answers(call=("weather", {"city": "Rome"})))
    called = system.ok(
        "POST", "/v1/chat/completions", {"model": model, "messages": ASK, "tools": [WEATHER], "store": True}
    )
    [call] = called["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Rome"}

    runtime.will(answers('{"warm": true}'))
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA}}
    body = {"model": model, "messages": ASK, "response_format": wanted, "store": True, "metadata": {"step": "two"}}
    structured = system.ok("POST", "/v1/chat/completions", body)
    assert json.loads(structured["choices"][0]["message"]["content"]) == {"warm": True}
    assert structured["metadata"] == {"step": "two"}

    system.settle()
    stored = system.ok("GET", "/v1/chat/completions?metadata[step]=two")["data"]
    assert [{name: one["usage"][name] for name in USAGE} for one in stored] == [USAGE]
    usage = system.ok("GET", "/v1/usage?group_by=model")["data"]
    assert sum(group["prompt_tokens"] for group in usage) == 2 * USAGE["prompt_tokens"]


def test_a_stream_is_the_whole_answer_as_events(model: str, system: System, runtime: Runtime) -> None:
    runtime.will(answers("pong"))
    body = {"model": model, "messages": ASK, "stream": True, "stream_options": {"include_usage": True}}
    status, text = system.call("POST", "/v1/chat/completions", body)
    chunks = events(text)
    assert status == 200
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in chunks if one["choices"]) == "pong"
    assert chunks[-1]["usage"]["total_tokens"] == USAGE["total_tokens"]
    assert "stream" not in json.dumps(runtime.asked[0].body)


def test_a_response_is_asked_for_as_a_chat(model: str, system: System, runtime: Runtime) -> None:
    """A server with OpenAI's API is asked for a response first, and refuses the route here."""
    has_route = system.ok("GET", "/v1/providers/mine")["kind"] == "openai"
    runtime.will(*([refuses(404)] if has_route else []), answers("pong"))
    answered = system.ok("POST", "/v1/responses", {"model": model, "input": "ping", "store": False})
    assert answered["output"][-1]["content"][0]["text"] == "pong"
    assert answered["usage"]["input_tokens"] == USAGE["prompt_tokens"]


def test_a_run_asks_it_and_judges_with_it(model: str, system: System, runtime: Runtime) -> None:
    runtime.will(answers('{"label": "yes"}'))
    check = {"type": "string_check", "name": "says", "input": "{{ sample.output_text }}", "operation": "like"}
    judge = {
        "type": "label_model",
        "name": "judge",
        "model": model,
        "input": [{"role": "user", "content": "{{ item.q }}"}],
        "labels": ["yes", "no"],
        "passing_labels": ["yes"],
    }
    config = {"type": "custom", "item_schema": {"type": "object"}}
    criteria = [{**check, "reference": "yes"}, judge]
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": criteria})
    rows = {"type": "file_content", "content": [{"item": {"q": "warm?"}}]}
    template = {"type": "template", "template": [{"role": "user", "content": "{{ item.q }}"}]}
    source = {"type": "completions", "model": model, "source": rows, "input_messages": template}
    run = system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source})
    system.settle()
    run = system.ok("GET", f"/v1/evals/{eval_['id']}/runs/{run['id']}")
    assert run["served_by"] == {model: f"mine/{model}"}
    assert (run["status"], run["result_counts"]["passed"]) == ("completed", 1), run
    assert sum(used["invocation_count"] for used in run["per_model_usage"]) == 2
