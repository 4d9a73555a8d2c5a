"""Stored completions as the SDK reads them: lists, filters, pages, messages."""

from __future__ import annotations

from typing import Any

import pytest
from openai import NotFoundError, OpenAI

from api import completions
from completions.completion import Completion
from tests.flow import loop
from tests.flow.system import System


def push(system: System, *records: dict[str, Any]) -> None:
    system.ok("POST", "/v1/captures", list(records))
    system.settle()


def records(*numbers: int, tag: str = "a", split: str = "train", **response: Any) -> list[dict[str, Any]]:
    made = [loop.record(number, split=split, tag=tag) for number in numbers]
    return [{**completion, "response": {**completion["response"], **response}} for completion in made]


@pytest.fixture
def stored(system: System) -> list[str]:
    """Seven completions, some in one minute, in three pushes and not in their order; their ids as they are listed."""
    push(system, *records(61, 0, 200))
    push(system, *records(7, 62, tag="b"), *records(8, tag="b", split="test", model="other"))
    push(system, *records(199))
    return [f"chatcmpl-{name}" for name in ("a-0", "b-7", "b-8", "a-61", "b-62", "a-199", "a-200")]


def test_the_list_is_by_time_in_both_orders(client: OpenAI, stored: list[str]) -> None:
    assert [completion.id for completion in client.chat.completions.list()] == stored
    assert [completion.id for completion in client.chat.completions.list(order="asc")] == stored
    assert [completion.id for completion in client.chat.completions.list(order="desc")] == stored[::-1]


def test_pages_join_to_the_whole_whatever_their_size(client: OpenAI, stored: list[str]) -> None:
    for limit in (1, 2, 3, 7, 100):
        page = client.chat.completions.list(limit=limit)
        assert len(page.data) == min(limit, 7)
        assert page.has_more == (limit < 7)
        assert [completion.id for completion in page] == stored, limit
        backwards = client.chat.completions.list(limit=limit, order="desc")
        assert [completion.id for completion in backwards] == stored[::-1], limit


def test_after_goes_on_behind_an_id_and_an_unknown_one_ends_the_list(client: OpenAI, stored: list[str]) -> None:
    assert [completion.id for completion in client.chat.completions.list(after=stored[2])] == stored[3:]
    assert [completion.id for completion in client.chat.completions.list(after=stored[2], order="desc")] == stored[
        1::-1
    ]
    assert client.chat.completions.list(after=stored[-1]).data == []
    assert client.chat.completions.list(after="after").data == []


def test_every_condition_of_a_filter_must_hold(client: OpenAI, stored: list[str]) -> None:
    def listed_ids(**wanted: Any) -> list[str]:
        return [
            completion.id.removeprefix("chatcmpl-") for completion in client.chat.completions.list(limit=2, **wanted)
        ]

    assert len(stored) == 7
    assert listed_ids(metadata={"tag": "b"}) == ["b-7", "b-8", "b-62"]
    assert listed_ids(metadata={"tag": "b", "split": "train"}) == ["b-7", "b-62"]
    assert listed_ids(metadata={"tag": "b", "split": "train"}, order="desc") == ["b-62", "b-7"]
    assert listed_ids(model="other") == ["b-8"]
    assert listed_ids(model=loop.TEACHER, metadata={"tag": "b"}) == ["b-7", "b-8", "b-62"]
    assert listed_ids(metadata={"tag": "b"}, after="chatcmpl-b-8") == ["b-62"]
    assert listed_ids(metadata={"tag": "nobody"}) == []
    assert listed_ids(metadata={"tag": "a"}, model="other") == []
    assert listed_ids(model="nobody") == []


def test_a_completion_comes_back_as_it_was_stored(client: OpenAI, system: System) -> None:
    (record,) = records(5)
    record["request"] |= {"seed": 3, "tools": [{"type": "function", "function": {"name": "f"}}], "user": "u-1"}
    push(system, record)
    x = client.chat.completions.retrieve("chatcmpl-a-5")
    assert (x.object, x.created, x.model) == ("chat.completion", 1_790_000_005, loop.TEACHER)
    assert x.choices[0].message.content == "shipping"
    assert x.choices[0].finish_reason == "stop"
    assert x.usage is not None
    assert x.usage.total_tokens == 21
    extra = x.model_dump()
    assert extra["metadata"] == {"split": "train", "tag": "a"}
    assert (extra["temperature"], extra["seed"], extra["input_user"]) == (0, 3, "u-1")
    assert extra["tools"] == record["request"]["tools"]
    assert (extra["reference"], extra["latency_ms"]) == ("shipping", 40)
    listed = client.chat.completions.list().data[0].model_dump()
    assert listed == extra


def test_a_null_is_left_out_unless_openai_says_null(system: System) -> None:
    (record,) = records(5, system_fingerprint=None, usage=None)
    nulls = {"tool_calls": None, "function_call": None}
    answer = {"role": "assistant", "content": "x", **nulls}
    record["response"]["choices"] = [{"finish_reason": "stop", "message": answer}]
    record["request"]["messages"] = [{"role": "assistant", "refusal": "no", **nulls}]
    push(system, record)
    completion = system.ok("GET", "/v1/chat/completions/chatcmpl-a-5")
    spoken = {"role": "assistant", "content": "x", "refusal": None}
    assert completion["choices"] == [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": spoken}]
    assert not {"system_fingerprint", "usage"} & completion.keys()
    (message,) = system.ok("GET", "/v1/chat/completions/chatcmpl-a-5/messages")["data"]
    refused = {"role": "assistant", "content": None, "refusal": "no", "content_parts": None}
    assert message == {**refused, "id": "chatcmpl-a-5-0"}


@pytest.mark.parametrize("choice", ["x", None, {"index": 0, "message": "x"}])
def test_a_choice_in_no_known_shape_does_not_hide_its_completion(choice: Any) -> None:
    (record,) = records(5, choices=[choice])
    assert completions.shown(Completion.of(record, at=0))["choices"] == [choice]


@pytest.mark.parametrize("part", ["x", None, {"type": "text"}, {"type": "text", "text": 5}])
def test_a_part_without_a_text_does_not_hide_its_message(part: Any, system: System) -> None:
    (record,) = records(5)
    record["request"]["messages"] = [{"role": "user", "content": [part, {"type": "text", "text": "said"}]}]
    push(system, record)
    (message,) = system.ok("GET", "/v1/chat/completions/chatcmpl-a-5/messages")["data"]
    assert (message["content"], message["content_parts"][0]) == ("said", part)


def test_messages_are_the_inputs_with_their_roles(client: OpenAI, system: System) -> None:
    (record,) = records(1)
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    parts = [{"type": "text", "text": "see "}, {"type": "text", "text": "this"}, picture]
    record["request"]["messages"].append({"role": "user", "content": parts, "name": "ann"})
    push(system, record)
    messages = client.chat.completions.messages.list("chatcmpl-a-1").data
    assert [message.id for message in messages] == [f"chatcmpl-a-1-{number}" for number in range(3)]
    assert [message.role for message in messages] == ["system", "user", "user"]
    assert messages[0].content == record["request"]["messages"][0]["content"]
    assert messages[0].content_parts is None
    assert messages[2].content == "see this"
    assert [part.type for part in messages[2].content_parts or []] == ["text", "text", "image_url"]
    assert messages[2].model_dump()["name"] == "ann"


def test_messages_are_paged_in_both_orders(client: OpenAI, system: System) -> None:
    (record,) = records(1)
    turns = [{"role": role, "content": str(n)} for n in range(3) for role in ("user", "assistant")]
    record["request"]["messages"] = turns
    push(system, record)
    listing = client.chat.completions.messages.list
    ids = [f"chatcmpl-a-1-{number}" for number in range(6)]
    for limit in (1, 4, 6):
        assert [message.id for message in listing("chatcmpl-a-1", limit=limit)] == ids
        assert [message.id for message in listing("chatcmpl-a-1", limit=limit, order="desc")] == ids[::-1]
    assert [message.id for message in listing("chatcmpl-a-1", after=ids[3])] == ids[4:]
    assert listing("chatcmpl-a-1", after="after").data == []


def test_an_unknown_completion_is_not_found(client: OpenAI) -> None:
    for look in (client.chat.completions.retrieve, client.chat.completions.messages.list):
        with pytest.raises(NotFoundError) as refusal:
            look("chatcmpl-nobody")
        assert (refusal.value.param, refusal.value.code) == ("completion_id", "not_found")
        assert "chatcmpl-nobody" in refusal.value.message


def test_wrong_page_parameters_name_themselves(system: System) -> None:
    push(system, *records(1, 2))
    for path in ("/v1/chat/completions", "/v1/chat/completions/chatcmpl-a-1/messages"):
        for name, value in (("order", "newest"), ("order", "ASC"), ("limit", "many"), ("limit", "1.5")):
            status, refusal = system.call("GET", f"{path}?{name}={value}")
            assert (status, refusal["error"]["param"], refusal["error"]["code"]) == (400, name, "invalid_value")
    assert len(system.ok("GET", "/v1/chat/completions?limit=0")["data"]) == 1
    assert len(system.ok("GET", "/v1/chat/completions?limit=9999")["data"]) == 2
    assert system.call("GET", "/v1/chat/completions?metadata[]=x")[1]["error"]["param"] == "metadata"


def test_completions_of_one_id_pushed_at_the_same_time_do_not_trap_a_reader(system: System, client: OpenAI) -> None:
    first, following = records(1, 2)
    for reference in ("one", "two"):  # the second comes before the first is recorded
        system.ok("POST", "/v1/captures", {**first, "reference": reference})
    push(system, following)
    seen = []
    for completion in client.chat.completions.list(limit=1):
        seen.append(completion.model_dump()["reference"])
        assert len(seen) <= 3, "the pages never end"
    assert sorted(seen) == ["one", "shipping", "two"]
