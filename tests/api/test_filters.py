"""What stored completions can be asked by, beyond OpenAI: conditions, text, negation, saved filters, exports."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from completions import index
from completions.filters import Filter
from completions.scan import Scan
from completions.sources import StoredCompletions, selected
from providers import prices
from tests.flow import loop
from tests.flow.system import System

START = 1_790_000_000


def made(number: int, text: str = "Where is it?", answer: str = "shipping", **more: Any) -> dict[str, Any]:
    request = {"model": "m", "messages": [{"role": "user", "content": text}], **more.pop("request", {})}
    usage = more.pop("usage", {"prompt_tokens": 10 * number, "completion_tokens": number, "total_tokens": 11 * number})
    choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": more.pop("end", "stop")}
    response = {"id": f"c{number}", "created": START + number, "model": "m-1", "choices": [choice], "usage": usage}
    return {"request": request, "response": response, **more}


FAILED = {
    "request": {"model": "m", "messages": [{"role": "user", "content": "Hm?"}]},
    "response": {"id": "c9", "created": START + 9, "error": {"message": "overloaded", "type": "server_error"}},
}
RECORDS = [
    made(1, metadata={"app": "a", "user": "x"}, latency_ms=100),
    made(2, metadata={"app": "b"}, latency_ms=2000, end="length"),
    made(
        3, request={"tools": [{"type": "function", "function": {"name": "f"}}]}, metadata={"app": "a"}, origin="azure"
    ),
    made(4, text='Straße "12"\nnorth', answer="Nothing — at ALL."),
    made(5, usage=None, text="naïve\tquestion"),
    FAILED,
]


@pytest.fixture
def stored(system: System) -> System:
    system.ok("POST", "/v1/captures", RECORDS)
    system.settle()
    return system


def listed(system: System, query: str) -> list[str]:
    return [completion["id"] for completion in system.ok("GET", f"/v1/chat/completions?{query}")["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "c1 c2 c3 c4 c5"),
        ("order=desc", "c5 c4 c3 c2 c1"),
        ("metadata_not[app]=a", "c2 c4 c5"),
        ("metadata[app]=a&metadata_not[user]=x", "c3"),
        ("model=m&model_not=m-1", ""),
        ("model_not=other", "c1 c2 c3 c4 c5"),
        (f"created_after={START + 2}&created_before={START + 4}", "c2 c3 c4"),
        ("finish_reason=length", "c2"),
        ("finish_reason_not=length", "c1 c3 c4 c5"),
        ("min_tokens=22&max_tokens=33", "c2 c3"),
        ("max_tokens=1000000", "c1 c2 c3 c4"),
        ("min_latency_ms=101", "c2"),
        ("max_latency_ms=100", "c1"),
        ("has_tools=true", "c3"),
        ("has_tools=false", "c1 c2 c4 c5"),
        ("has_error=true", "c9"),
        ("origin=azure", "c3"),
        ("text=where+is", "c1 c2 c3"),
        ("text=STRASSE", "c4"),
        ("text=%2212%22%0Anorth", "c4"),
        ("text=at+all.", "c4"),
        ("text=na%C3%AFve%09q", "c5"),
        ("text=m-1", ""),
        ("text=is&metadata[app]=b", "c2"),
        ("text=where&order=desc&limit=2", "c3 c2"),
    ],
)
def test_conditions(stored: System, query: str, expected: str) -> None:
    assert listed(stored, query) == expected.split()


@pytest.fixture
def priced(stored: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """The completion c<n> costs 2n dollars: 10n tokens at 0.1 and n at 1."""
    models = {"m-1": {"input": "100000", "output": "1000000"}}
    listed_prices = {"as_of": "2026-11", "batch_share": "0.5", "models": models}
    monkeypatch.setattr("providers.prices.price_list", lambda: listed_prices)
    prices.forget()
    return stored


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("min_cost_usd=4&max_cost_usd=6", "c2 c3"),
        ("max_cost_usd=3.9", "c1"),
        ("min_cost_usd=1e-3&order=desc", "c4 c3 c2 c1"),
        ("max_cost_usd=0", ""),
        ("min_cost_usd=4&metadata[app]=a", "c3"),
    ],
)
def test_by_cost(priced: System, query: str, expected: str) -> None:
    assert listed(priced, query) == expected.split()


def test_what_costs_so_much_is_a_source_of_rows_a_saved_filter_and_counted(priced: System) -> None:
    cheap = {"max_cost_usd": 4.5}
    rows = selected(StoredCompletions.model_validate({"type": "stored_completions", **cheap}))
    assert [completion.id for completion in rows] == ["c1", "c2"]
    saved = priced.ok("POST", "/v1/filters", {"name": "cheap", "filter": {**cheap, "created_before": START + 99}})
    assert saved["filter"]["max_cost_usd"] == 4.5
    assert listed(priced, f"filter={saved['id']}&min_cost_usd=3") == ["c2"]
    assert priced.ok("GET", "/v1/usage?max_cost_usd=4.5")["data"][0]["cost_usd"] == 6


def test_what_has_no_price_meets_no_condition_on_its_cost(stored: System) -> None:
    assert listed(stored, "max_cost_usd=1000") == listed(stored, "min_cost_usd=0") == []


def test_a_search_goes_on_page_by_page(stored: System) -> None:
    collected, after = [], ""
    while True:
        page = stored.ok("GET", f"/v1/chat/completions?text=where&order=desc&limit=1{after}")
        collected += [completion["id"] for completion in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert collected == ["c3", "c2", "c1"]


def test_a_call_that_looked_far_enough_says_where_to_go_on(stored: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scan, "__init__", _scan_of_two)
    first = stored.ok("GET", "/v1/chat/completions?text=nothing")
    assert (first["data"], first["has_more"], first["last_id"]) == ([], True, "c2")
    second = stored.ok("GET", f"/v1/chat/completions?text=nothing&after={first['last_id']}")
    assert [completion["id"] for completion in second["data"]] == ["c4"]
    assert stored.ok("GET", "/v1/chat/completions?text=nothing&after=c4")["has_more"] is False


def _scan_of_two(scan: Scan, **_: object) -> None:
    scan._left, scan._until, scan.at, scan.exhausted = 2, float("inf"), None, False


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("min_tokens=many", "min_tokens"),
        ("min_cost_usd=cheap", "min_cost_usd"),
        ("max_cost_usd=nan", "max_cost_usd"),
        ("max_cost_usd=-1", "max_cost_usd"),
        ("created_after=yesterday", "created_after"),
        ("has_tools=perhaps", "has_tools"),
        ("metadata[]=x", "metadata"),
        ("metadata_not[]=x", "metadata_not"),
        ("text=", "text"),
        ("filter=filter_none", "filter"),
    ],
)
def test_a_bad_condition_is_named(stored: System, query: str, param: str) -> None:
    status, answer = stored.call("GET", f"/v1/chat/completions?{query}")
    assert status in {400, 404}
    assert answer["error"]["param"] == param


def test_a_saved_filter_selects_the_same_again(stored: System) -> None:
    asked = {"name": "app a", "filter": {"metadata": {"app": "a"}, "created_before": START + 100}}
    saved = stored.ok("POST", "/v1/filters", asked)
    assert saved["filter"] == asked["filter"]
    later = made(7, metadata={"app": "a"})
    later["response"]["created"] = START + 101
    stored.ok("POST", "/v1/captures", later)
    stored.settle()
    assert listed(stored, f"filter={saved['id']}") == ["c1", "c3"]
    assert listed(stored, f"filter={saved['id']}&has_tools=true") == ["c3"]
    assert [filter_["name"] for filter_ in stored.ok("GET", "/v1/filters")["data"]] == ["app a"]
    assert stored.ok("GET", f"/v1/filters/{saved['id']}") == saved
    assert stored.ok("DELETE", f"/v1/filters/{saved['id']}")["deleted"] is True
    assert stored.call("GET", f"/v1/chat/completions?filter={saved['id']}")[0] == 404


def test_a_saved_filter_has_an_end(stored: System) -> None:
    saved = stored.ok("POST", "/v1/filters", {"name": "now", "filter": {}})
    assert saved["filter"] == {"created_before": saved["created_at"]}


@pytest.mark.parametrize("bad", [{"modle": "m"}, {"min_tokens": -1}, {"metadata": {"a": 1}}, {"text": "x" * 513}])
def test_a_filter_that_would_select_something_else_is_not_saved(stored: System, bad: dict[str, Any]) -> None:
    status, answer = stored.call("POST", "/v1/filters", {"name": "n", "filter": bad})
    assert status == 400
    assert answer["error"]["param"].startswith("filter.")


def exported(system: System, query: str = "") -> list[dict[str, Any]]:
    text, after = "", ""
    for _ in range(100):
        status, page = system.call("GET", f"/v1/exports/completions?{query}{after}")
        assert status == 200
        text += page or ""
        following = {name.lower(): value for name, value in system.headers.items()}.get("x-stillhouse-after")
        if not following:
            return [json.loads(line) for line in text.splitlines()]
        after = f"&after={following}"
    raise AssertionError("the export never ends")


def test_an_export_has_pages_of_its_limit(stored: System) -> None:
    whole = exported(stored)
    status, page = stored.call("GET", "/v1/exports/completions?limit=2")
    assert (status, [json.loads(line) for line in page.splitlines()]) == (200, whole[:2])
    assert "x-stillhouse-after" in {name.lower() for name in stored.headers}
    assert exported(stored, "limit=2") == whole
    assert exported(stored, "limit=1000") == whole
    assert stored.call("GET", "/v1/exports/completions?limit=many")[1]["error"]["param"] == "limit"


def test_an_export_pushed_elsewhere_is_the_same(stored: System) -> None:
    records = exported(stored)
    before = {stored.id: stored for stored in index.completions(Filter())}
    assert [record["response"]["id"] for record in records] == list(before)
    for name in before:
        stored.ok("DELETE", f"/v1/chat/completions/{name}")
    again = [{**record, "response": {**record["response"], "id": f"n{record['response']['id']}"}} for record in records]
    stored.ok("POST", "/v1/captures", again)
    stored.settle()
    for completion in index.completions(Filter()):
        old = before[completion.id.removeprefix("n")]
        assert replace(completion, id=old.id, response=old.response, content_hash=old.content_hash) == old
        assert {**completion.response, "id": old.id} == old.response


def test_an_export_takes_a_filter(stored: System) -> None:
    assert [completion["response"]["id"] for completion in exported(stored, "metadata[app]=a")] == ["c1", "c3"]


def test_a_large_export_comes_in_pages(system: System) -> None:
    for start in (0, 3):
        records = [loop.record(number, split="train", tag="x") for number in range(start, start + 3)]
        for record in records:
            record["request"]["messages"][0]["content"] = "x" * 1_100_000
        system.ok("POST", "/v1/captures", records)
    system.settle()
    records = exported(system)
    assert [record["response"]["id"] for record in records] == [f"chatcmpl-x-{number}" for number in range(6)]
    page = system.call("GET", "/v1/exports/completions")[1]
    assert len(page.splitlines()) == 5


def test_a_list_of_large_completions_ends_before_the_answer_is_too_large(system: System) -> None:
    for number in range(3):
        record = loop.record(number, split="train", tag="x")
        record["response"]["choices"][0]["message"]["content"] = "y" * 2_500_000
        system.ok("POST", "/v1/captures", record)
    system.settle()
    page = system.ok("GET", "/v1/chat/completions")
    assert ([completion["id"] for completion in page["data"]], page["has_more"]) == (
        ["chatcmpl-x-0", "chatcmpl-x-1"],
        True,
    )
    assert listed(system, "after=chatcmpl-x-1") == ["chatcmpl-x-2"]
