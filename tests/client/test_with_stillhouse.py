"""The wrapper between the real lab as provider and the real handlers as Stillhouse."""

import json
import time

import pytest
from openai import OpenAI

from stillhouse import capture
from tests.client.deployed import Deployed
from tests.client.doubles import Provider, served
from tests.flow.loop import STUDENT, messages
from tests.flow.system import KEY


@pytest.fixture
def client(system, tmp_path):
    with served(Deployed(system)) as url:
        provider = OpenAI(base_url=f"{system.lab}/v1", api_key="lab")
        client = capture(
            provider, base_url=url, api_key=KEY, spool=tmp_path, metadata={"app": "mail"}, stream_usage=True
        )
        yield client
        client.stillhouse.close()
        vars(client)["_recorder"].endpoint.stored.close()
        client.close()


def test_what_was_called_is_read_back(client):
    ask = {"model": STUDENT, "store": True, "temperature": 0}
    whole = client.chat.completions.create(**ask, messages=messages(1), metadata={"kind": "whole"})
    with client.chat.completions.stream(**ask, messages=messages(2), metadata={"kind": "stream"}) as stream:
        streamed = stream.get_final_completion()
    assert client.stillhouse.flush(20)
    assert client.stillhouse.counts.delivered == 2

    stored = client.chat.completions.list(metadata={"app": "mail"}).data
    assert {completion.id for completion in stored} == {whole.id, streamed.id}
    back = client.chat.completions.retrieve(streamed.id)
    assert back.choices[0].message.content == streamed.choices[0].message.content
    assert back.usage.completion_tokens > 0
    assert client.chat.completions.retrieve(whole.id).choices == whole.choices
    read = [(message.role, message.content) for message in client.chat.completions.messages.list(whole.id)]
    assert read == [(message["role"], message["content"]) for message in messages(1)]
    client.chat.completions.update(whole.id, metadata={"app": "mail", "kind": "checked"})
    assert [completion.id for completion in client.chat.completions.list(metadata={"kind": "checked"})] == [whole.id]
    assert client.chat.completions.delete(whole.id).deleted


def response(number):
    content = [{"type": "output_text", "text": f"answer {number}", "annotations": []}]
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
    head = {"id": f"resp_{number}", "object": "response", "created_at": 1_790_000_000, "model": "big", "tools": []}
    return {**head, "status": "completed", "output": [message], "parallel_tool_calls": True, "tool_choice": "auto"}


def test_a_chain_of_responses_is_read_back_whole(system, tmp_path):
    provider = Provider()
    provider.say = lambda _: (200, "application/json", [json.dumps(response(len(provider.asked))).encode()])
    with served(Deployed(system)) as url, served(provider) as provider_url:
        client = capture(OpenAI(base_url=provider_url, api_key="k"), base_url=url, api_key=KEY, spool=tmp_path)
        previous = None
        for turn in ("one", "two", "three"):
            chained = {"previous_response_id": previous} if previous else {}
            previous = client.responses.create(model="big", input=turn, store=True, **chained).id
            if turn == "two":
                assert client.stillhouse.flush(20)
        assert client.stillhouse.flush(20)
        assert client.stillhouse.counts.delivered == 3
        read = [(message.role, message.content) for message in client.chat.completions.messages.list(previous)]
        client.stillhouse.close()
        vars(client)["_recorder"].endpoint.stored.close()
        client.close()
    assert read == [
        ("user", "one"),
        ("assistant", "answer 1"),
        ("user", "two"),
        ("assistant", "answer 2"),
        ("user", "three"),
    ]


def test_an_alias_of_the_real_handlers_is_followed_and_captured(system, tmp_path):
    """Made, moved and rolled back over HTTP: the wrapper asks the lab itself, and the capture names the version."""
    targets = [{"model": STUDENT}]
    system.ok("PUT", "/v1/aliases/quick", {"targets": targets})
    ask = {"model": "quick", "messages": messages(1), "store": True}
    with served(Deployed(system)) as url:
        provider = OpenAI(base_url=f"{system.lab}/v1", api_key="lab")
        options = {"aliases": {"quick": "nobody"}, "alias_ttl": 0.02, "spool": tmp_path}
        client = capture(provider, base_url=url, api_key=KEY, **options)
        vars(client)["_recorder"].ways._aliases._ask().join(10)
        first = client.chat.completions.create(**ask)
        system.ok("PUT", "/v1/aliases/quick", {"targets": [*targets, {"model": "lab-judge", "weight": 0}]})
        time.sleep(0.05)
        second = client.chat.completions.create(**ask)
        assert client.stillhouse.flush(20)
        client.stillhouse.close()
        vars(client)["_recorder"].endpoint.stored.close()
        client.close()
    listed = system.ok("GET", "/v1/chat/completions?alias=quick")["data"]
    assert {one["id"]: one["alias"]["version"] for one in listed} == {first.id: 1, second.id: 2}
    assert {(one["alias"]["target"], one["model"]) for one in listed} == {(STUDENT, STUDENT)}
