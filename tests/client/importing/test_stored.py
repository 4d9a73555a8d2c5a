import threading

import httpx2
import pytest
from openai import AzureOpenAI, OpenAI

from stillhouse.importing.source import Unmapped
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.stored import StoredSource
from tests.api.sdk import Transport, client_of
from tests.client.importing.build import Taking, imported, read_items
from tests.flow.system import KEY

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
PARTS = [{"type": "text", "text": "what is it"}, {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]
MESSAGES = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": PARTS, "name": "ann"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "a dog"},
]
SETTINGS = {
    "tools": [TOOL],
    "tool_choice": "auto",
    "seed": 7,
    "top_p": 0.5,
    "temperature": 0,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "response_format": {"type": "json_object"},
    "user": "u1",
}


def pushed(number, **more):
    answer = {"role": "assistant", "content": f"answer {number}", "refusal": None}
    return {
        "request": {"model": "big", "messages": MESSAGES, **SETTINGS, **more.pop("request", {})},
        "response": {
            "id": f"chatcmpl-{number:03}",
            "object": "chat.completion",
            "created": 1_700_000_000 + number,
            "model": "big-2024",
            "choices": [{"index": 0, "finish_reason": "stop", "message": answer, "logprobs": None}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            "system_fingerprint": "fp_1",
        },
        "metadata": {"feature": "triage", "even": str(number % 2 == 0)},
        "latency_ms": 120,
        **more,
    }


class OneAtATime(Transport):
    """A Lambda function has one event at a time, and the handlers rely on it."""

    turn = threading.Lock()

    def handle_request(self, request):
        with self.turn:
            return super().handle_request(request)


@pytest.fixture
def stored(system):
    """A server with OpenAI's API that holds seven completions."""
    system.ok("POST", "/v1/captures", [pushed(number, reference="known") for number in range(7)])
    system.settle()
    return client_of(system, transport=OneAtATime(system))


def source(client, *, model=None, metadata=None, origin="openai"):
    return StoredSource(client, origin, model=model, metadata=metadata or {})


def test_fields_that_nobody_knows_are_kept(system):
    call = pushed(1)
    call["response"] |= {"provider": "p", "citations": ["https://a.test"]}
    call["response"]["choices"][0]["message"]["reasoning_content"] = "hm"
    thought = {"role": "assistant", "content": "a cat", "reasoning_content": "hm"}
    call["request"]["messages"] = [*MESSAGES, thought, {"role": "user", "content": "sure?"}]
    system.ok("POST", "/v1/captures", call)
    system.settle()
    [record] = read_items(source(client_of(system, transport=OneAtATime(system))))
    assert record.response == call["response"]
    assert record.request["messages"][-2] == thought


def test_a_stored_completion_is_the_call_that_it_was(stored):
    [first, *_] = read_items(source(stored))
    given = pushed(0)
    assert first.request == {**given["request"], "model": "big-2024"}
    assert first.response == given["response"]
    assert (first.created, first.latency_ms, first.metadata) == (1_700_000_000, 120, given["metadata"])
    assert first.origin == "openai"
    assert first.reference is None, "an imported answer was not reviewed"


def test_filters_are_the_lists_own(stored):
    assert len(read_items(source(stored, metadata={"even": "True", "feature": "triage"}))) == 4
    assert read_items(source(stored, model="other")) == []


def test_pages_are_followed_and_reading_goes_on_behind_an_id(stored, monkeypatch):
    monkeypatch.setattr("stillhouse.importing.stored._PAGE", 2)
    reading = source(stored)
    items = list(reading.items(None))
    assert [item.at for item in items] == [f"chatcmpl-{number:03}" for number in range(7)]
    assert [len(item.outcome.request["messages"]) for item in items] == [4] * 7
    assert [item.at for item in reading.items(items[3].cursor)] == [item.at for item in items[4:]]


def test_from_one_stillhouse_into_another_twice_gives_the_same_completions(stored, tmp_path, system):
    """Through the list API of the first, whose records then differ from the second's in their origin alone."""
    taking = Taking()
    for _ in range(2):
        imported(source(stored), taking, tmp_path / "state.json")
    first, second = taking.pushes
    assert first == second
    deleted = [record["response"]["id"] for record in first]
    answer = system.ok(
        "POST",
        "/v1/captures",
        [{**record, "response": {**record["response"], "id": f"b-{n}"}} for n, record in enumerate(first)],
    )
    system.settle()
    before = stored.chat.completions.retrieve(deleted[2]).to_dict(mode="json")
    after = stored.chat.completions.retrieve(answer["ids"][2]).to_dict(mode="json")
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"id", "request_id", "origin", "reference"}
    assert after["origin"] == "openai"


def test_messages_that_are_gone_leave_the_completion_out(stored, monkeypatch):
    monkeypatch.setattr(type(stored.chat.completions.messages), "list", lambda *_, **__: [])
    assert all(isinstance(record, Unmapped) for record in read_items(source(stored)))


@pytest.mark.usefixtures("stored")
def test_what_is_throttled_is_retried_by_the_sdk(system):
    answers = []

    class Throttled(OneAtATime):
        def handle_request(self, request):
            answers.append(request.url.path)
            if len(answers) in (1, 3):
                return httpx2.Response(429, headers={"retry-after-ms": "1"}, json={"error": {}}, request=request)
            return super().handle_request(request)

    patient = client_of(system, transport=Throttled(system), retries=3)
    assert len(read_items(source(patient))) == 7
    assert len(answers) == 8 + 2


def test_a_key_that_is_refused_ends_the_import_in_one_sentence(system):
    with pytest.raises(Stopped, match=r"http://stillhouse\.test/v1/: it answers 401"):
        read_items(source(client_of(system, key="sk-sh-nobody-x")))


def test_azure_is_listed_under_its_own_paths():
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx2.Response(200, json={"object": "list", "data": [], "has_more": False}, request=request)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    dated = AzureOpenAI(
        azure_endpoint="https://x.openai.azure.com", api_version="2025-02-01-preview", api_key="k", http_client=http
    )
    new = OpenAI(base_url="https://x.openai.azure.com/openai/v1", api_key="k", http_client=http)
    for client in (dated, new):
        assert read_items(source(client, origin="azure")) == []
    assert [url.partition("?")[0] for url in asked] == [
        "https://x.openai.azure.com/openai/chat/completions",
        "https://x.openai.azure.com/openai/v1/chat/completions",
    ]
    assert "api-version=2025-02-01-preview" in asked[0]


def test_a_source_is_known_by_its_place_and_filters(stored):
    first, other = source(stored), source(stored, model="big-2024")
    assert first.identity != other.identity
    assert KEY not in str(first.identity)
