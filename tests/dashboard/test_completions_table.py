"""The table of completions: saved filters, columns, two beside each other, and the filter that stays."""

from __future__ import annotations

from tests.dashboard.browser import Browser, query
from tests.flow import loop
from tests.flow.system import System


def test_a_filter_is_saved_applied_and_deleted(system: System, browser: Browser) -> None:
    loop.capture(system, "kept", train=3, test=3)
    browser.page("/completions?tags=split%3Dtrain")
    saved = browser.post("/completions/filters", {"filter_name": "<b>train</b>", "tags": "split=train"})
    assert "<b>train" not in saved.body
    [found] = system.ok("GET", "/v1/filters")["data"]
    assert found["filter"]["metadata"] == {"split": "train"}
    applied = next(link for link in saved.links if "until=" in link and link.startswith("/completions?"))
    assert query(applied)["tags"] == "split=train"
    page = browser.page(applied)
    assert page.text.count("tag=kept") == 3
    assert f"{found['filter']['created_before']}" not in page.body
    assert "<b>train" not in browser.post(f"/completions/filters/{found['id']}/delete").body
    assert system.ok("GET", "/v1/filters")["data"] == []
    browser.page("/completions")
    refused = browser.post("/completions/filters", {"filter_name": "", "tags": "x"})
    assert refused.status == 400


def test_a_filter_that_the_form_cannot_say_is_listed_without_a_link(system: System, browser: Browser) -> None:
    odd = {"name": "odd", "filter": {"metadata": {"a": "b, c=d"}, "created_before": 5}}
    system.ok("POST", "/v1/filters", odd)
    page = browser.page("/completions")
    assert "odd has conditions that this form does not" in page.text


def test_columns_are_chosen_in_the_address(system: System, browser: Browser) -> None:
    loop.capture(system, "columns", train=25, test=0)
    usual = browser.page("/completions")
    assert "Known answer</th>" not in usual.body
    page = browser.page("/completions?col_reference=1&col_model=1")
    assert "Known answer</th>" in page.body
    assert "Latency</th>" not in page.body
    following = next(link for link in page.links if "after=" in link)
    assert query(following)["col_reference"] == "1"
    assert "Known answer</th>" in browser.page(following).body


def test_two_completions_stand_side_by_side(system: System, browser: Browser) -> None:
    loop.capture(system, "pair", train=2, test=0)
    one = browser.page("/completions/chatcmpl-pair-1")
    beside = next(link for link in one.links if "/beside?" in link)
    page = browser.page(beside)
    assert "<mark>" in page.body
    assert {"/completions/chatcmpl-pair-0", "/completions/chatcmpl-pair-1"} <= set(page.links)
    same = browser.page("/completions/beside?a=chatcmpl-pair-0&b=chatcmpl-pair-0")
    assert "<mark>chat" not in same.body
    assert browser.get("/completions/beside?a=chatcmpl-pair-0").status == 400
    assert browser.get("/completions/beside?a=chatcmpl-pair-0&b=none").status == 404


def test_who_came_from_a_filter_goes_on_in_it(system: System, browser: Browser) -> None:
    loop.capture(system, "within", train=3, test=0)
    kept = "?tags=split%3Dtrain"
    browser.page(f"/completions/chatcmpl-within-1{kept}")
    tagged = browser.post("/completions/chatcmpl-within-1/tags", {"tags": "split=train", "page": _page(1, kept)})
    assert tagged.path.endswith(kept)
    deleted = browser.post("/completions/chatcmpl-within-1/delete", {"page": _page(1, kept)})
    assert deleted.path == f"/completions{kept}"


def _page(number: int, kept: str) -> str:
    return f"/completions/chatcmpl-within-{number}{kept}"
