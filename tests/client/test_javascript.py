"""The JavaScript wrapper as Node runs it, before the same provider and the same Stillhouse as the Python one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from foundation.edge import SMALLER
from tests.client.deployed import Deployed
from tests.client.doubles import HELLO, USAGE, Provider, Stillhouse, chunk, completion, events, piece, served
from tests.client.node import Node, ran
from tests.examples import examples
from tests.flow.loop import STUDENT
from tests.flow.system import KEY, System
from tests.streams import by_the_wrapper, streams

NOTHING = {
    "captured": 0, "delivered": 0, "discarded": 0, "redactFailed": 0, "incomplete": 0, "refused": 0, "dropped": 0,
}  # fmt: skip


@pytest.fixture
def where(provider_url: str, stillhouse_url: str) -> dict[str, str]:
    return {"PROVIDER_URL": provider_url, "STILLHOUSE_BASE_URL": stillhouse_url, "STILLHOUSE_API_KEY": "sk-sh-test"}


@pytest.fixture
def does(node: Node, where: dict[str, str]) -> Any:
    """What the application of this name sees."""
    return lambda name: node.answered("scenarios.ts", name, **where)


@pytest.fixture
def does_alone(where: dict[str, str]) -> Any:
    """The same of an application that has a process of its own, which then ends."""
    return lambda name, **otherwise: json.loads(ran("test/scenarios.ts", name, **{**where, **otherwise}))


def called(number: int, index: int = 0, **function: str) -> dict[str, Any]:
    return {"index": index, "id": f"call_{number}", "type": "function", "function": function}


BODIES = {
    "json": [json.dumps(completion()).encode()],
    "text": events(*HELLO, chunk(usage=USAGE)),
    "tools": events(
        chunk(piece(role="assistant", content=None, reasoning_content="hm")),
        chunk(piece(tool_calls=[called(1, name="f", arguments='{"a"')])),
        chunk(piece(tool_calls=[called(2, 1, name="g", arguments="")])),
        chunk(piece(tool_calls=[{"index": 1, "function": {"arguments": "{}"}}])),
        chunk(piece(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}])),
        chunk(piece(finish_reason="tool_calls")),
    ),
    "several": events(
        chunk(piece(1, role="assistant", content="b")),
        chunk(piece(0, role="assistant", content="a"), service_tier="default"),
        chunk({**piece(0, content="x"), "logprobs": {"content": [{"token": "x", "logprob": -0.1}], "refusal": None}}),
        chunk(piece(1, finish_reason="stop"), piece(0, finish_reason="stop")),
    ),
    "lists": events(
        chunk(piece(content=[])),
        chunk(piece(content="a", x={"index": "0"})),
        chunk(piece(x={"index": "0"})),
        chunk(piece(0, "stop")),
    ),
    "empty": [b"data:\n\n", *events(*HELLO)],
    "odd": [b"data: 7\n\n", *events(*HELLO)],
    "no delta": events(chunk({"index": 0, "delta": "odd"}), *HELLO),
    "cut": events(*HELLO[:-1]),
    "error": [b'data: {"error": {"message": "no"}}\n\n'],
}


@pytest.mark.parametrize("line", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_both_wrappers_put_the_same_answers_together(line: str, node: Node) -> None:
    bodies = {name: b"".join(body).replace(b"\n", line.encode()) for name, body in BODIES.items()}
    assembled = node.assembled([body.decode() for body in bodies.values()])
    assert dict(zip(bodies, assembled, strict=True)) == {name: by_the_wrapper(body) for name, body in bodies.items()}


def test_both_wrappers_put_any_stream_together_alike(node: Node) -> None:
    """All at once, since each question takes longer than they do."""
    drawn: list[bytes] = []

    @settings(max_examples=examples(600), phases=[Phase.generate])
    @given(body=streams())
    def draw(body: bytes) -> None:
        drawn.append(body)

    draw()
    assembled = node.assembled([body.decode() for body in drawn])
    for body, answer in zip(drawn, assembled, strict=True):
        wanted = by_the_wrapper(body)
        assert json.dumps(answer, sort_keys=True) == json.dumps(wanted, sort_keys=True), body


def test_no_answer_changes_what_other_objects_inherit(node: Node) -> None:
    """With a field `error` in every object, each later chunk would be taken for a failure."""
    error = {"error": "stolen"}
    choices: list[dict[str, Any]] = [
        piece(__proto__=error),
        piece(constructor={"prototype": error}),
        piece(tool_calls=[{"index": 0, "__proto__": error}, {"index": 0, "__proto__": error}]),
        {"index": 0, "logprobs": {"__proto__": error}},
    ]
    bodies = [b"".join(events(chunk(choice), *HELLO)).decode() for choice in choices]
    contents = [answer["choices"][0]["message"]["content"] for answer in node.assembled(bodies)]
    assert contents == ["hello"] * len(bodies)


def test_stored_calls_are_captured_with_their_tags_and_the_provider_gets_none(
    does: Any, provider: Provider, stillhouse: Stillhouse
) -> None:
    saw = does("chat")
    assert saw["flushed"] is True
    assert saw["counts"] == {**NOTHING, "captured": 2, "delivered": 2}
    assert [record["response"]["id"] for record in stillhouse.records] == saw["ids"]
    first, second = (record["request"] for record in stillhouse.records)
    assert (first["store"], first["metadata"]) == (True, {"feature": "triage", "team": "mail"})
    assert second["metadata"] == {"team": "mail", "feature": "all"}
    assert {record["provider"] for record in stillhouse.records} == {"127.0.0.1"}
    assert all(isinstance(record["latency_ms"], int) for record in stillhouse.records)
    assert [{"store", "metadata"} & asked.keys() for asked in provider.asked] == [set()] * 4


def test_streams_are_captured_whole_when_they_end(does: Any, stillhouse: Stillhouse) -> None:
    saw = does("stream")
    assert (saw["text"], saw["said"], saw["flushed"]) == ("hello", "hello", True)
    assert saw["counts"]["captured"] == 3
    assert saw["counts"]["incomplete"] + saw["counts"]["delivered"] == 3
    texts = [record["response"]["choices"][0]["message"]["content"] for record in stillhouse.records]
    assert texts == ["hello"] * saw["counts"]["delivered"]
    assert saw["counts"]["delivered"] >= 2


def test_responses_are_captured_and_sent_on_unchanged(does: Any, provider: Provider, stillhouse: Stillhouse) -> None:
    whole = {"id": "resp_1", "object": "response", "output": [], "status": "completed"}

    def say(asked: dict[str, Any]) -> Any:
        if not asked.get("stream"):
            return 200, "application/json", [json.dumps(whole).encode()]
        happened: list[dict[str, Any]] = [{"type": "response.created"}, {"type": "response.completed"}]
        lines = [f"event: {event['type']}\ndata: {json.dumps({**event, 'response': whole})}\n\n" for event in happened]
        return 200, "text/event-stream", [line.encode() for line in lines]

    provider.say = say
    saw = does("responses")
    assert (saw["id"], saw["events"]) == ("resp_1", ["response.created", "response.completed"])
    assert provider.asked[0] == {"model": "big", "input": "hi", "store": True, "metadata": {"a": "b"}}
    assert [record["response"] for record in stillhouse.records] == [whole, whole]


def test_stored_completions_are_stillhouses(does: Any, provider: Provider, stillhouse: Stillhouse) -> None:
    does("stored")
    assert stillhouse.other == [("GET", "/v1/chat/completions/chatcmpl-1")]
    assert provider.asked == []


def test_a_whole_request_is_captured_or_stillhouses_as_its_parts_are(
    does: Any, provider: Provider, stillhouse: Stillhouse
) -> None:
    saw = does("requests")
    assert [asked.keys() & {"model", "store"} for asked in provider.asked] == [{"model"}]
    assert [record["response"]["id"] for record in stillhouse.records] == [saw["id"]]
    assert stillhouse.other == [("POST", "/v1/chat/completions/x")]
    assert saw["counts"] == {**NOTHING, "captured": 1, "delivered": 1}


def test_a_refusal_is_the_applications_and_is_not_captured(
    does: Any, provider: Provider, stillhouse: Stillhouse
) -> None:
    provider.say = lambda _: (400, "application/json", [b'{"error": {"message": "no"}}'])
    assert does("refusals") == {"status": 400, "counts": NOTHING}
    assert stillhouse.records == []


def test_an_outage_of_stillhouse_reaches_no_call(does_alone: Any, stillhouse: Stillhouse, nowhere: str) -> None:
    saw = does_alone("away", STILLHOUSE_BASE_URL=nowhere)
    assert (saw["id"][:9], saw["flushed"]) == ("chatcmpl-", False)
    assert saw["counts"] == {**NOTHING, "captured": 1}
    assert len(saw["warnings"]) == 1
    assert stillhouse.records == []


def test_what_waits_is_pushed_when_the_process_ends(does_alone: Any, stillhouse: Stillhouse) -> None:
    saw = does_alone("exit")
    assert [record["response"]["id"] for record in stillhouse.records] == [saw["id"]]


def test_what_is_refused_for_good_is_dropped_one_by_one(does: Any, stillhouse: Stillhouse) -> None:
    stillhouse.status = 400
    saw = does("several")
    assert saw["flushed"] is True
    assert saw["counts"] == {**NOTHING, "captured": 12, "refused": 12}
    assert stillhouse.tries == 13


def test_a_call_over_4_mb_is_not_sent_and_the_remedy_is_said(does: Any, stillhouse: Stillhouse) -> None:
    saw = does("large")
    assert saw["flushed"] is True
    assert saw["counts"] == {**NOTHING, "captured": 2, "delivered": 1, "refused": 1}
    assert stillhouse.tries == 1
    [warning] = saw["warnings"]
    assert SMALLER in warning


def test_nothing_leaves_that_the_hook_has_not_seen(does: Any, stillhouse: Stillhouse) -> None:
    saw = does("redacted")
    assert saw["counts"] == {**NOTHING, "captured": 3, "delivered": 1, "discarded": 1, "redactFailed": 1}
    assert [record["request"]["messages"][0]["content"] for record in stillhouse.records] == ["x"]
    assert len(saw["warnings"]) == 1


def test_vercels_sdk_is_captured_by_its_fetch(does: Any, stillhouse: Stillhouse) -> None:
    saw = does("vercel")
    assert (saw["text"], saw["streamed"], saw["flushed"]) == ("hello", "hello", True)
    assert [record["request"]["metadata"] for record in stillhouse.records] == [{"app": "vercel"}] * 2
    assert saw["counts"] == {**NOTHING, "captured": 2, "delivered": 2}


def test_what_node_called_is_read_back_from_the_real_handlers(system: System, node: Node) -> None:
    with served(Deployed(system)) as url:
        where = {"PROVIDER_URL": f"{system.lab}/v1", "STILLHOUSE_BASE_URL": url, "STILLHOUSE_API_KEY": KEY}
        saw = node.answered("scenarios.ts", "loop", MODEL=STUDENT, **where)
    assert saw["flushed"] is True
    assert sorted(saw["listed"]) == sorted(saw["made"])
    assert saw["back"] == saw["text"]


def test_what_waits_in_memory_has_bounds(does: Any) -> None:
    saw = does("bounds")
    assert saw["dropped"] == [1, 2, 3], "64 MB, again when they have gone, and 10,000 calls"
    assert saw["counts"] == {**NOTHING, "delivered": 10_003, "incomplete": 4, "dropped": 3}
    assert saw["largest"] == 200


def test_a_flush_waits_for_the_recorder_and_as_long_as_stillhouse_asks(does: Any) -> None:
    saw = does("waits")
    assert (saw["flushed"], saw["polls"]) == (True, 3)
    assert saw["again"] is False
    assert saw["tries"] <= 2


def test_what_is_captured_and_what_the_provider_is_told(does: Any) -> None:
    assert does("policies") == {
        "sampled": 0,
        "background": 0,
        "late": [1, 0],
        "partly": [1, 1],
        "store": [False, None],
        "organization": [None],
    }


def test_wrong_options_are_refused_at_once(does: Any) -> None:
    assert does("options") == ["TypeError", "RangeError", "RangeError", "RangeError"]


def test_the_types_are_sound() -> None:
    assert ran("node_modules/typescript/bin/tsc", "--noEmit") == ""
