"""`client.responses` of a wrapped client: what is captured, and that chains arrive whole."""

import asyncio
import json
import time

import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from stillhouse.capturing import Counts, delivery, orphans

ASK = {"model": "big", "input": "hi"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(delivery, "LINGER_S", 0.05)
    monkeypatch.setattr(orphans, "_FIRST_PAUSE_S", 0.05)


def response(text="hello", **fields):
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
    return {
        "id": f"resp_{time.time_ns()}",
        "object": "response",
        "created_at": 1_700_000_000.0,
        "model": "big-2025",
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **fields,
    }


def streamed(last="response.completed", **fields):
    whole = response(**fields)
    started = {**whole, "status": "in_progress", "output": []}
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "sequence_number": 0, "response": started},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "sequence_number": 1,
            "item": {**whole["output"][0], "status": "in_progress", "content": []},
        },
        {
            "type": "response.content_part.added",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "sequence_number": 2,
            "part": {"type": "output_text", "text": "", "annotations": []},
        },
        {**delta, "delta": "hello", "logprobs": [], "sequence_number": 3},
        *([{"type": last, "sequence_number": 4, "response": whole}] if last else []),
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


@pytest.fixture(autouse=True)
def answers(provider):
    def say(asked):
        if asked.get("stream"):
            return 200, "text/event-stream", streamed()
        return 200, "application/json", [json.dumps(response()).encode()]

    provider.say = say


def flushed(client, stillhouse):
    assert client.stillhouse.flush(10)
    return stillhouse.records


def test_a_stored_response_goes_to_the_provider_as_it_is_and_is_pushed(wrap, provider, stillhouse):
    client = wrap(metadata={"app": "mail"})
    answer = client.responses.create(**ASK, store=True, metadata={"team": "a"}, extra_body={"top_k": 3})
    (record,) = flushed(client, stillhouse)
    assert answer.output_text == "hello"
    assert provider.asked == [{**ASK, "store": True, "metadata": {"team": "a"}, "top_k": 3}]
    assert record["request"] == {**provider.asked[0], "metadata": {"team": "a", "app": "mail"}}
    assert record["response"] == answer.to_dict()
    assert client.stillhouse.counts == Counts(captured=1, delivered=1)


def test_what_does_not_say_store_is_not_captured(client, provider, stillhouse):
    client.responses.create(**ASK)
    client.responses.create(**ASK, store=False)
    client.responses.create(**ASK, store=True, background=True)
    assert flushed(client, stillhouse) == []
    assert [asked.get("store") for asked in provider.asked] == [None, False, True]
    assert client.stillhouse.counts == Counts()


def test_where_that_is_the_default_every_response_is_captured(wrap, provider, stillhouse):
    client = wrap(store=True)
    client.responses.create(**ASK)
    client.responses.create(**ASK, store=False)
    assert len(flushed(client, stillhouse)) == 1
    assert provider.asked[0] == ASK


@pytest.mark.parametrize(
    ("last", "fields"),
    [
        ("response.completed", {}),
        ("response.incomplete", {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}),
        ("response.failed", {"status": "failed", "error": {"code": "server_error", "message": "no"}}),
    ],
)
def test_a_stream_is_captured_by_the_response_that_its_last_event_brings(client, provider, stillhouse, last, fields):
    whole = streamed(last, **fields)
    provider.say = lambda _: (200, "text/event-stream", whole)
    types = [event.type for event in client.responses.create(**ASK, store=True, stream=True)]
    (record,) = flushed(client, stillhouse)
    assert types[-1] == last
    assert record["response"] == json.loads(whole[-1].split(b"data: ")[1])["response"]


def test_a_stream_without_its_last_event_is_incomplete(client, provider, stillhouse):
    provider.say = lambda _: (200, "text/event-stream", streamed(None))
    list(client.responses.create(**ASK, store=True, stream=True))
    assert flushed(client, stillhouse) == []
    assert client.stillhouse.counts == Counts(captured=1, incomplete=1)


class Mood(BaseModel):
    mood: str


def test_the_sdks_other_ways_to_create_are_captured_too(client, provider, stillhouse):
    with client.responses.stream(**ASK, store=True) as stream:
        streamed_answer = stream.get_final_response()
    raw = client.responses.with_raw_response.create(**ASK, store=True)
    provider.say = lambda _: (200, "application/json", [json.dumps(response('{"mood":"fine"}')).encode()])
    parsed = client.with_options(timeout=5).responses.parse(**ASK, text_format=Mood, store=True)
    records = flushed(client, stillhouse)
    assert parsed.output_parsed == Mood(mood="fine")
    assert [record["response"]["id"] for record in records] == [streamed_answer.id, raw.parse().id, parsed.id]
    assert records[2]["response"]["output"][0]["content"][0] == {
        "type": "output_text",
        "text": '{"mood":"fine"}',
        "annotations": [],
    }
    assert records[2]["request"]["text"]["format"]["name"] == "Mood"


def test_other_calls_about_responses_stay_the_providers(client, provider, stillhouse):
    provider.say = None
    provider.answer = lambda *_: (200, "application/json", [json.dumps(response()).encode()])
    client.responses.retrieve("resp_1")
    client.responses.cancel("resp_1")
    assert stillhouse.other == []
    assert flushed(client, stillhouse) == []


def test_the_async_client_does_the_same(wrap, stillhouse):
    async def use(client):
        answer = await client.responses.create(**ASK, store=True)
        async for _ in await client.responses.create(**ASK, store=True, stream=True):
            pass
        assert await client.stillhouse.aflush(10)
        await client.close()
        return answer

    answer = asyncio.run(use(wrap(AsyncOpenAI)))
    assert [record["response"]["status"] for record in stillhouse.records] == ["completed"] * 2
    assert stillhouse.records[0]["response"] == answer.to_dict()


def test_responses_seen_before_wrapping_are_captured_too(wrap, stillhouse):
    class Early(OpenAI):
        def __init__(self, **options):
            super().__init__(**options)
            self.early = self.responses

    client = wrap(Early)
    client.early.create(**ASK, store=True)
    assert len(flushed(client, stillhouse)) == 1


# ---------------------------------------------------------------- chains


class Chained:
    """Refuses a response until the one before it was known for some pushes, as Stillhouse does."""

    def __init__(self, stillhouse, late):
        self.take, self.late, self.known, self.order = stillhouse.answer, late, set(), []
        self.records = stillhouse.records
        stillhouse.answer = self.answer

    def answer(self, method, path, body, headers):
        status, kind, parts = self.take(method, path, body, headers)
        if method != "POST":
            return status, kind, parts
        refused, taken = [], []
        for index, record in enumerate(self.records):
            previous = record["request"].get("previous_response_id")
            if previous and (previous not in self.known or self.late > 0):
                refused.append({"index": index, "code": "previous_response_not_found", "param": "x"})
            else:
                taken.append(record["response"]["id"])
        self.late -= bool(refused)
        self.known.update(taken)
        self.order += taken
        count = len(self.records)
        self.records.clear()
        if len(refused) == count:
            refusal = {"error": {"message": "no", "code": "x", "param": "x", "type": "x"}, "refused": refused}
            return 400, kind, [json.dumps(refusal).encode()]
        return 202, kind, [json.dumps({"batch_id": "capture_1", "refused": refused}).encode()]


def test_a_response_waits_until_the_one_before_it_is_known(client, stillhouse):
    double = Chained(stillhouse, late=3)
    first = client.responses.create(**ASK, store=True)
    second = client.responses.create(**ASK, store=True, previous_response_id=first.id)
    assert client.stillhouse.flush(10)
    assert double.order == [first.id, second.id]
    assert double.late == 0
    assert client.stillhouse.counts == Counts(captured=2, delivered=2)


def test_a_response_whose_parent_never_comes_is_refused_in_the_end(client, stillhouse, monkeypatch, caplog):
    monkeypatch.setattr(orphans, "WITHIN_S", 0.2)
    double = Chained(stillhouse, late=0)
    client.responses.create(**ASK, store=True, previous_response_id="resp_unknown")
    other = client.responses.create(**ASK, store=True)
    assert client.stillhouse.flush(10)
    assert double.order == [other.id]
    assert client.stillhouse.counts == Counts(captured=2, delivered=1, refused=1)
    assert stillhouse.tries >= 2
    assert "previous_response_not_found" in caplog.text


def test_what_still_waits_at_the_end_is_left_to_the_next_process(wrap, stillhouse, tmp_path):
    client = wrap()
    double = Chained(stillhouse, late=0)
    waiting = client.responses.create(**ASK, store=True, previous_response_id="resp_late")
    assert not client.stillhouse.flush(0.3)
    client.stillhouse.close(2)
    assert len(list((tmp_path / "spool").rglob("*.gz"))) == 1
    assert client.stillhouse.counts == Counts(captured=1)
    double.known.add("resp_late")
    wrap()
    end = time.monotonic() + 5
    while double.order != [waiting.id]:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_too_many_waiting_responses_are_refused(client, stillhouse, monkeypatch):
    monkeypatch.setattr(orphans, "_MOST_BYTES", 10)
    Chained(stillhouse, late=0)
    client.responses.create(**ASK, store=True, previous_response_id="resp_unknown")
    assert client.stillhouse.flush(10)
    assert client.stillhouse.counts == Counts(captured=1, refused=1)
