"""What every kind of provider does alike: one suite over the registry.

A kind joins it by a line in `CASES`: what its entry has beside its name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from foundation.loop import run
from providers import Answer, NoResponses, ProviderAway, ProviderRefused
from providers.entry import Entry
from providers.key import KnownKey
from providers.kinds import KINDS
from providers.single_provider import SingleProvider, make_provider
from tests.providers.runtime import USAGE, Prepared, Runtime, answers, refuses, slow
from tests.template.loading import SERVICES

DEPLOYMENT = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghij12"
IMPORTED = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghij12"
CASES: dict[str, dict[str, Any]] = {
    "openai": {"base_url": "/v1", "models": ["gpt-x"]},
    "sagemaker": {"base_url": "/endpoints/e/openai/v1", "models": ["qwen"], "region": "us-east-1"},
    "bedrock": {"base_url": "", "models": [DEPLOYMENT], "region": "us-east-1"},
    "bedrock_imported": {"base_url": "", "models": [IMPORTED], "region": "us-east-1"},
}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


class Kind:
    """One kind's provider at the runtime, and its first model."""

    def __init__(self, name: str, runtime: Runtime) -> None:
        case = CASES[name]
        self.name, self.model = name, case["models"][0]
        entry = Entry(kind=name, **{**case, "base_url": runtime.url + case["base_url"]})
        self.provider: SingleProvider = make_provider(entry, key=KnownKey("sk-1"), pace=None)

    def complete(self, *, deadline_s: float = 10.0, retry_s: float | None = None, **fields: Any) -> Answer:
        request = {"model": self.model, "messages": [{"role": "user", "content": "ping"}], **fields}
        return run(self.provider.complete(request, deadline_s=deadline_s, retry_s=retry_s))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, runtime: Runtime) -> Iterator[Kind]:
    made = Kind(request.param, runtime)
    yield made
    run(made.provider.close())


def test_a_text_comes_back_with_its_usage(kind: Kind, runtime: Runtime) -> None:
    answer = kind.complete(max_tokens=5, temperature=0.5)
    assert answer.body["object"] == "chat.completion"
    assert answer.body["choices"][0]["message"]["content"] == "pong"
    assert answer.body["choices"][0]["finish_reason"] == "stop"
    assert {name: answer.body["usage"][name] for name in USAGE} == USAGE
    assert isinstance(answer.body["id"], str)
    assert (answer.paid, answer.batch) == (True, False)
    assert len(runtime.asked) == 1


def test_a_tool_is_called(kind: Kind, runtime: Runtime) -> None:
    runtime.will(answers(call=("weather", {"city": "Köln"})))
    [choice] = kind.complete(tools=[WEATHER], tool_choice="auto").body["choices"]
    [call] = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert (call["id"], call["type"], call["function"]["name"]) == ("call_1", "function", "weather")
    assert json.loads(call["function"]["arguments"]) == {"city": "Köln"}
    assert choice["message"].get("content") is None


def test_a_tool_s_result_is_answered(kind: Kind, runtime: Runtime) -> None:
    function = {"name": "weather", "arguments": '{"city": "Rome"}'}
    turns = [
        {"role": "user", "content": "Is it warm?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c1", "content": "31 degrees"},
    ]
    assert kind.complete(messages=turns, tools=[WEATHER]).body["choices"][0]["message"]["content"] == "pong"
    assert "31 degrees" in json.dumps(runtime.asked[0].body)


def test_structured_output_is_asked_for(kind: Kind, runtime: Runtime) -> None:
    schema = {"type": "object", "properties": {"warm": {"type": "boolean"}}, "required": ["warm"]}
    runtime.will(answers('{"warm": true}'))
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema, "strict": True}}
    answer = kind.complete(response_format=wanted)
    assert json.loads(answer.body["choices"][0]["message"]["content"]) == {"warm": True}
    assert "warm" in json.dumps(runtime.asked[0].body)


def test_a_cut_off_answer_says_so(kind: Kind, runtime: Runtime) -> None:
    runtime.will(answers("po", finish="length"))
    assert kind.complete(max_tokens=1).body["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_it_is_asked_again_while_it_is_away(kind: Kind, runtime: Runtime, status: int) -> None:
    runtime.will(refuses(status), answers())
    assert kind.complete().body["choices"]
    assert len(runtime.asked) == 2


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_comes_at_once_in_openai_s_shape(kind: Kind, runtime: Runtime, status: int) -> None:
    runtime.will(refuses(status))
    with pytest.raises(ProviderRefused) as refusal:
        kind.complete()
    assert type(refusal.value) is ProviderRefused
    assert (refusal.value.status, refusal.value.message) == (status, "not so")
    assert len(runtime.asked) == 1


def test_the_wait_that_it_asks_for_is_kept_and_passed_on(kind: Kind, runtime: Runtime) -> None:
    runtime.will(refuses(429, retry_after="30"))
    with pytest.raises(ProviderAway) as away:
        kind.complete(deadline_s=5)
    assert (away.value.status, away.value.retry_after) == (429, 30)
    assert away.value.headers["retry-after"] == "30"
    assert len(runtime.asked) == 1


def test_it_is_not_waited_for_beyond_the_deadline(kind: Kind, runtime: Runtime) -> None:
    runtime.will(slow(0.8))
    started = time.monotonic()
    with pytest.raises(ProviderAway) as away:
        kind.complete(deadline_s=0.3)
    assert away.value.status == 504
    assert time.monotonic() - started < 0.75


def test_who_does_not_listen_is_away(kind: Kind) -> None:
    entry = Entry(kind=kind.name, **{**CASES[kind.name], "base_url": "http://127.0.0.1:9/v1"})
    provider = make_provider(entry, key=KnownKey(), pace=None)
    request = {"model": kind.model, "messages": [{"role": "user", "content": "ping"}]}
    with pytest.raises(ProviderAway):
        run(provider.complete(request, deadline_s=5, retry_s=0.01))
    run(provider.close())


def test_without_the_responses_api_it_says_so(kind: Kind, runtime: Runtime) -> None:
    runtime.will(refuses(404))
    with pytest.raises(NoResponses) as missing:
        run(kind.provider.respond({"model": kind.model, "input": "ping"}, deadline_s=5))
    missing.value.confirm()


def test_other_routes_are_answered_or_refused_and_never_break(kind: Kind, runtime: Runtime) -> None:
    runtime.will(refuses(404))
    with pytest.raises(ProviderRefused) as refusal:
        run(kind.provider.embed({"model": kind.model, "input": "x"}, deadline_s=5))
    assert refusal.value.status == 404
    with pytest.raises(ProviderRefused):
        run(kind.provider.pass_on("/audio/speech", b"{}", "application/json", deadline_s=5))


def test_a_kind_that_needs_models_knows_those_that_it_was_given(kind: Kind) -> None:
    if "models" in KINDS[kind.name].needs:
        assert [model["id"] for model in run(kind.provider.list_models())] == [kind.model]
        assert run(kind.provider.find_model(kind.model))["object"] == "model"
        assert run(kind.provider.find_model("another")) is None


def test_only_a_kind_with_openai_s_batches_gives_them(kind: Kind) -> None:
    assert (kind.provider.batch_api(timeout_s=1) is not None) is (kind.name == "openai")


def test_a_kind_is_imported_where_it_is_used_and_nowhere_else() -> None:
    """What a kind needs must not make the cold start of all others longer."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import providers, providers.kinds as kinds;"
        "loaded = [kind.module for kind in kinds.KINDS.values() if f'providers.{kind.module}' in sys.modules];"
        "print(loaded)"
    )
    command = [sys.executable, "-I", "-c", code, str(SERVICES)]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_every_kind_has_its_case_and_its_words() -> None:
    assert set(CASES) == set(KINDS)
    for name, declared in KINDS.items():
        assert declared.description, name
        assert declared.needs <= declared.takes | {"models"}, name


@pytest.mark.parametrize("prepared", [answers("pong"), answers(call=("weather", {}))])
def test_the_runtime_of_these_tests_says_what_bedrock_may_say(prepared: Prepared, runtime: Runtime) -> None:
    """The walker that holds requests and answers of AWS is on: what these tests make up is held as well."""
    runtime.will(prepared)
    assert Kind("bedrock", runtime).complete(tools=[WEATHER]).body["choices"]
