"""A page as one file, for people and for programs: a verdict, two runs beside each other, a dataset."""

from __future__ import annotations

import json
import re

import pytest

from tests.dashboard.browser import Answer, Browser
from tests.flow import loop
from tests.flow.system import KEY, System

EVIL = "<script>alert(1)</script><form><img src=x onerror=alert(1)>"


def is_whole(page: Answer) -> None:
    """It runs nothing, loads nothing, posts nothing, and has no mark of anybody's session."""
    assert page.status == 200
    assert "attachment" in page.headers["content-disposition"]
    for part in ("<script", "<form", '<link rel="stylesheet', "csrf", 'http-equiv="refresh"', "onerror=alert(1)>"):
        assert part not in page.body
    assert "--ground" in page.body
    assert not re.findall(r'(?:src|href)="/', page.body)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)"', page.body))
    assert "default-src 'none'" in page.body.replace("&#x27;", "'")
    assert len(page.body.encode()) < 6_000_000


def test_each_report_is_one_file_for_a_session_and_for_a_key(system: System, browser: Browser) -> None:
    loop.capture(system, "reports")
    made = loop.completed(system, loop.distill(system, "reports", name=EVIL)["id"])
    verdict, runs = made["verdict"], made["runs"]
    wanted = {
        verdict["id"]: verdict["sentence"],
        made["id"]: verdict["sentence"],
        made["dataset_id"]: "What to look at",
        f"{runs['distilled']}?against={runs['baseline']}": f"won {verdict['won']}, lost {verdict['lost']}",
    }
    program = Browser()
    for object_id, words in wanted.items():
        path = f"/reports/{object_id}{'&' if '?' in object_id else '?'}file=1"
        page = browser.get(path)
        is_whole(page)
        assert words in page.text
        # Not by way of a redirection, which would name an address that the program may not know.
        by_key = program.get(path, key=KEY, follow=False)
        assert re.sub(r"\d\d:\d\d", "", by_key.body) == re.sub(r"\d\d:\d\d", "", page.body)
    # Of a form around a table its rows stay.
    runs_page = browser.get(f"/evals/{made['eval_id']}?file=1")
    is_whole(runs_page)
    assert runs["distilled"] in runs_page.body
    assert "<input" not in runs_page.body
    # The page itself leads to its file, and the file to the pages of the stack.
    assert f"/distillations/{made['id']}?file=1" in browser.page(f"/distillations/{made['id']}").links
    assert re.findall(r'href="http://127\.0\.0\.1:\d+/evals/', browser.get(f"/reports/{made['id']}?file=1").body)


@pytest.mark.parametrize(
    ("path", "key", "status", "param"),
    [
        ("/reports/nothing?file=1", KEY, 404, "id"),
        ("/completions?file=1", "sk-sh-first-wrong", 401, "Authorization"),
        ("/completions?file=1", "sk-sh-\u043a\u043b\u044e\u0447", 401, "Authorization"),
        ("/completions?file=1&nothing=1", KEY, 400, "nothing"),
    ],
)
def test_a_program_is_refused_in_json(visitor: Browser, path: str, key: str, status: int, param: str | None) -> None:
    refused = visitor.get(path, key=key)
    assert refused.status == status
    assert json.loads(refused.body)["error"]["param"] == param


def test_a_key_opens_no_page_that_is_no_file_and_presses_no_button(visitor: Browser) -> None:
    assert visitor.get("/completions", key=KEY).path.startswith("/sign-in")
    assert visitor.post("/first-key?file=1", key=KEY).path.startswith("/sign-in")
