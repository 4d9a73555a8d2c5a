"""Usage: counted from the index, against counts made from the records themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from api.usage import Group
from completions.postings import Reference
from completions.scan import Scan
from providers import prices
from tests.flow import loop
from tests.flow.system import System

DAY = 86_400
START = 20_000 * DAY + DAY - 2


def made(number: int, **more: Any) -> dict[str, Any]:
    record = loop.record(number, split="train", tag="u")
    usage = {"prompt_tokens": 100 + number, "completion_tokens": number, "total_tokens": 100 + 2 * number}
    usage["prompt_tokens_details"] = {"cached_tokens": number}
    model = "gpt-4o-mini-2024-07-18" if number % 2 else "lab-small"
    record["response"] |= {"usage": usage, "created": START + number, "model": model}
    return {**record, "latency_ms": 10 * number, "metadata": {"app": "ab"[number % 2]}, **more}


RECORDS = [made(number) for number in range(6)]


@pytest.fixture
def stored(system: System) -> System:
    system.ok("POST", "/v1/captures", RECORDS)
    system.settle()
    return system


def usage(system: System, query: str = "") -> list[dict[str, Any]]:
    return list(system.ok("GET", f"/v1/usage?{query}")["data"])


def test_tokens_latency_and_cost_by_model(stored: System) -> None:
    mini, small = usage(stored)
    assert (mini["group"], small["group"]) == ({"model": "gpt-4o-mini-2024-07-18"}, {"model": "lab-small"})
    assert (mini["completions"], mini["prompt_tokens"], mini["cached_tokens"], mini["completion_tokens"]) == (
        3,
        101 + 103 + 105,
        1 + 3 + 5,
        1 + 3 + 5,
    )
    price = prices.price_list()["models"]["gpt-4o-mini"]
    dollars = (
        300 * Decimal(price["input"]) + 9 * Decimal(price["cached_input"]) + 9 * Decimal(price["output"])
    ) / 10**6
    assert mini["cost_usd"] == pytest.approx(float(dollars), abs=1e-9)
    assert (small["cost_usd"], small["unpriced_models"]) == (None, ["lab-small"])
    assert small["latency_ms"] == {"p50": 20, "p90": 40, "p99": 40}


def test_answers_without_usage_are_counted_and_cost_nothing_that_is_known(system: System) -> None:
    counted, partly, nothing = made(1), made(3), made(5)
    del partly["response"]["usage"]["completion_tokens"]
    del nothing["response"]["usage"]
    failed = made(7, response={"error": {"message": "overloaded"}, "created": START})
    system.ok("POST", "/v1/captures", [counted, partly, nothing, failed])
    system.settle()
    by_model = {row["group"]["model"]: row for row in usage(system)}
    mini = by_model["gpt-4o-mini-2024-07-18"]
    assert (mini["completions"], mini["without_usage"], mini["prompt_tokens"]) == (3, 2, 101)
    assert mini["cost_usd"] > 0
    (asked,) = (row for row in by_model.values() if row["failed"])
    assert (asked["without_usage"], asked["completions"]) == (0, 1), "a call that failed was not answered"


def test_by_day_and_tag(stored: System) -> None:
    rows = usage(stored, "group_by=day,metadata.app")
    assert [(row["group"]["day"], row["group"]["metadata.app"], row["completions"]) for row in rows] == [
        ("2024-10-04", "a", 1),
        ("2024-10-04", "b", 1),
        ("2024-10-05", "a", 2),
        ("2024-10-05", "b", 2),
    ]


def test_an_alias_is_told_beside_the_price_of_another_model(system: System) -> None:
    aliased = [{"alias": {"name": "quick", "version": version, "target": "lab-small"}} for version in (1, 2)]
    system.ok("POST", "/v1/captures", [made(0, **aliased[0]), made(1, **aliased[1]), made(2)])
    system.settle()
    plain, quick = usage(system, "group_by=alias&price_as=gpt-4o")
    assert [(row["group"]["alias"], row["completions"]) for row in (plain, quick)] == [(None, 1), ("quick", 2)]
    assert quick["cost_usd"] is None
    assert quick["cost_as_usd"] == pytest.approx(prices.call_usd("gpt-4o", 201, 1, 1), abs=1e-9)
    assert [row["cost_as_usd"] for row in usage(system, "group_by=alias,model&alias=quick")] == [None, None]


def test_a_filter_narrows_it(stored: System) -> None:
    (row,) = usage(stored, f"metadata[app]=b&created_after={START + 2}")
    assert row["completions"] == 2


def test_what_was_spent_stays_spent(stored: System) -> None:
    before = usage(stored)
    stored.ok("DELETE", "/v1/chat/completions/chatcmpl-u-1")
    stored.ok("POST", "/v1/chat/completions/chatcmpl-u-2", {"metadata": {"app": "z"}})
    assert usage(stored) == before


def test_a_repeated_push_counts_once(stored: System) -> None:
    stored.ok("POST", "/v1/captures", RECORDS)
    stored.settle()
    assert sum(row["completions"] for row in usage(stored)) == 6


def test_failed_calls_are_counted_apart(stored: System) -> None:
    failed = {"request": RECORDS[0]["request"], "response": {"id": "f", "error": {"message": "no"}}, "created": START}
    stored.ok("POST", "/v1/captures", failed)
    stored.settle()
    rows = usage(stored, "group_by=day")
    assert [(row["completions"], row["failed"]) for row in rows] == [(3, 1), (4, 0)]


@pytest.mark.parametrize(
    ("query", "param"), [("group_by=colour", "group_by"), ("text=x", "text"), ("price_as=lab-small", "price_as")]
)
def test_what_cannot_be_counted_is_named(stored: System, query: str, param: str) -> None:
    status, answer = stored.call("GET", f"/v1/usage?{query}")
    assert (status, answer["error"]["param"]) == (400, param)


def test_too_many_are_refused_with_the_remedy(stored: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.usage._MOST", 5)
    status, answer = stored.call("GET", "/v1/usage")
    assert (status, answer["error"]["code"]) == (400, "too_many_completions")
    assert Scan(references=6).exhausted is False


def test_sums_end_where_json_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each count of a completion is at most 2^53, and two thousand of them are more than 64 bits hold."""
    monkeypatch.setattr("providers.prices.saved_providers", list)
    group = Group()
    for model in ("a", "b"):
        reference = Reference(1, "c", "", "", 0, 0, models=(model,), prompt_tokens=1 << 53, completion_tokens=1 << 53)
        for _ in range(1_500):
            group.add(reference)
    shown = group.shown({})
    assert (shown.prompt_tokens, shown.completion_tokens) == ((1 << 63) - 1, (1 << 63) - 1)
    assert orjson.dumps(shown.model_dump())


def test_more_groups_than_an_answer_holds_are_refused(stored: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.usage._MOST_GROUPS", 1)
    status, refusal = stored.call("GET", "/v1/usage")
    assert (status, refusal["error"]["code"], refusal["error"]["param"]) == (400, "too_many_groups", "group_by")
    assert stored.call("GET", "/v1/usage?model=lab-small")[0] == 200


def test_at_most_so_many_are_counted_and_the_answer_says_so(system: System) -> None:
    loop.capture(system, "most", train=9, test=3)
    part = system.ok("GET", "/v1/usage?most=5")
    assert (part["data"][0]["completions"], part["complete"]) == (5, False)
    newest = system.ok("GET", "/v1/usage?most=3&group_by=metadata.split")["data"]
    assert [(line["group"], line["completions"]) for line in newest] == [({"metadata.split": "test"}, 3)]
    whole = system.ok("GET", "/v1/usage?most=12")
    assert (whole["data"][0]["completions"], whole["complete"]) == (12, True)
    for wrong in ("0", "many", "99999999999999"):
        status, answer = system.call("GET", f"/v1/usage?most={wrong}")
        assert (status, answer["error"]["param"]) == (400, "most")
