"""Imported models: an OpenAI body by InvokeModel, and answers that a model's server writes."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.loop import run
from providers import Answer, ProviderAway
from providers.bedrock import imported
from providers.entry import Entry
from providers.unsupported import Unsupported
from tests.providers.runtime import Prepared, Runtime, Said, answers, refuses

ARN = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghij12"
MESSAGES = [{"role": "user", "content": "ping"}]


def complete(runtime: Runtime, **fields: Any) -> Answer:
    entry = Entry(kind="bedrock_imported", base_url=runtime.url, region="us-east-1", models=[ARN])
    provider = imported.make_provider(entry, key=None, pace=None)  # type: ignore[arg-type]
    return run(provider.complete({"model": ARN, "messages": MESSAGES, **fields}, deadline_s=10))


def test_the_body_is_openai_s_without_what_concerns_our_caller(runtime: Runtime) -> None:
    answer = complete(runtime, seed=3, n=2, top_k=5, stream=True, stream_options={}, store=True, metadata={"a": "b"})
    [asked] = runtime.asked
    assert (asked.wire, asked.model) == ("invoke", ARN)
    assert asked.body == {"messages": MESSAGES, "seed": 3, "n": 2, "top_k": 5}
    assert answer.body["model"] == ARN


def says(body: Any) -> Prepared:
    return lambda _: Said(200, body)


def test_what_its_server_leaves_out_is_there(runtime: Runtime) -> None:
    runtime.will(says({"choices": [{"message": {"role": "assistant", "content": "pong"}}]}))
    answer = complete(runtime).body
    assert answer["id"].startswith("chatcmpl-")
    assert (answer["object"], type(answer["created"])) == ("chat.completion", int)


def test_a_model_that_is_being_loaded_is_waited_for(runtime: Runtime) -> None:
    runtime.will(refuses(429, name="ModelNotReadyException"), answers())
    assert complete(runtime).body["choices"]
    assert len(runtime.asked) == 2


def test_an_answer_that_is_no_object_is_not_paid_for_twice(runtime: Runtime) -> None:
    runtime.will(says([1]))
    with pytest.raises(ProviderAway) as away:
        complete(runtime)
    assert (away.value.final, away.value.code) == (True, "unreadable_answer")
    assert len(runtime.asked) == 1


def test_a_body_that_bedrock_does_not_take_is_refused(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imported, "_MOST_BYTES", 10)
    with pytest.raises(Unsupported, match="400"):
        complete(runtime)
    assert not runtime.asked
