"""Captured text is hostile: on every page that shows it nothing runs, nothing breaks, and no page is over 200 kB."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dashboard.browser import Browser
from tests.dashboard.cards import cards
from tests.dashboard.crawl import NEED_MORE, pages, unseen
from tests.flow import loop
from tests.flow.system import System

PNG = "data:image/png;base64,iVBORw0KGgo="
TEXTS = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "svg": '<svg onload="alert(1)"><a href="javascript:alert(2)">x</a></svg>',
    "template": "{{ visit.token }}{% raw %} ${7*7} <%= 7 %>",
    "turned": "invoice \u202efdp.exe\u202c \u2066hidden\u2069 \u200bzero \ufeffmark",
    "controls": "bell\x07 null\x00 escape\x1b[31m line\u2028break",
    "quotes": "\"'`&<>" * 50_000,
    "line": "x" * 1_000_000,
    "lone": "emoji \U0001f469\u200d\U0001f4bb",
    "attribute": '" autofocus onfocus="alert(1)',
    "address": "javascript:alert(1) data:text/html,<script>alert(1)</script>",
}


def record(name: str, messages: list[Any], answer: Any, **fields: Any) -> dict[str, Any]:
    return {
        "request": {"model": "recorded-teacher", "messages": messages},
        "response": {
            "id": f"chatcmpl-{name}",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": "recorded-teacher",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}],
        },
        "metadata": {"case": name},
        **fields,
    }


def push(system: System, records: list[dict[str, Any]]) -> None:
    body = "\n".join(json.dumps(record) for record in records).encode()
    assert system.ok("POST", "/v1/captures", body)["accepted"] == len(records)
    system.settle()


def is_harmless(body: str) -> bool:
    """Whether no captured text became a tag, an attribute or an address, and no mark hides or turns what follows."""
    tags = ("<script>alert", "<img src=x", "<svg onload", 'onfocus="', "<b>", 'href="javascript', 'src="http')
    marks = ("\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x07", "\x1b", "\u2028")
    return not any(part in body for part in (*tags, *marks))


@pytest.fixture
def hostile(system: System) -> list[str]:
    """Completions that have such texts everywhere that a caller fills."""
    push(
        system,
        [
            record(
                name,
                [{"role": "system", "content": text[:9]}, {"role": "user", "content": text}],
                text,
                metadata={"case": name, text[:60].replace("\x00", ""): text[:200]}
                if text.isprintable()
                else {"case": name},
                reference=text[:1000],
            )
            for name, text in TEXTS.items()
        ],
    )
    return list(TEXTS)


def test_every_text_is_text_on_the_pages_that_show_it(browser: Browser, hostile: list[str]) -> None:
    for path in (
        "/completions",
        "/evals/new",
        "/distillations/new",
        *(f"/completions/chatcmpl-{name}" for name in hostile),
    ):
        page = browser.page(path)
        assert is_harmless(page.body), path
        assert len(page.body.encode()) < 200_000, path
    typed = cards("same_text", name=TEXTS["attribute"], reference=TEXTS["svg"])
    for case in hostile:
        tried = browser.post("/evals/new", {**typed, "tags": f"case={case}", "name": TEXTS["script"], "do": "try"})
        assert tried.status == 200, tried.text
        assert is_harmless(tried.body), case
        assert len(tried.body.encode()) < 200_000, case
    assert "&lt;script&gt;alert(1)" in browser.page("/completions/chatcmpl-script").body
    assert "<U+202E>" in browser.page("/completions/chatcmpl-turned").text
    assert "more letters" in browser.page("/completions/chatcmpl-line").text
    assert "{{ visit.token }}" in browser.page("/completions/chatcmpl-template").body


def test_everything_of_a_completion_is_text_and_no_page(browser: Browser, hostile: list[str]) -> None:
    for name in hostile:
        file = browser.page(f"/completions/chatcmpl-{name}/all")
        assert file.headers["content-type"].startswith("text/plain")
        assert file.headers["x-content-type-options"] == "nosniff"
    assert json.loads(browser.page("/completions/chatcmpl-line/all").body)["messages"][1]["content"] == TEXTS["line"]


def test_the_grades_of_hostile_rows_are_text(system: System, browser: Browser, hostile: list[str]) -> None:
    criterion = {
        "type": "string_check",
        "name": "<b>same</b>",
        "operation": "eq",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference }}",
    }
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    made = system.ok(
        "POST", "/v1/evals", {"name": TEXTS["svg"], "data_source_config": config, "testing_criteria": [criterion]}
    )
    run = system.ok(
        "POST",
        f"/v1/evals/{made['id']}/runs",
        {"name": TEXTS["script"], "data_source": {"type": "completions", "source": {"type": "stored_completions"}}},
    )
    system.settle()
    assert system.ok("GET", f"/v1/evals/{made['id']}/runs/{run['id']}")["result_counts"]["total"] == len(hostile)
    eval_path = f"/evals/{made['id']}"
    beside = f"{eval_path}/compare?baseline={run['id']}"
    for path in ("/evals", eval_path, f"{eval_path}/runs/{run['id']}", f"{eval_path}/compare", beside):
        page = browser.page(path)
        assert is_harmless(page.body), path
        assert len(page.body.encode()) < 200_000, path


def test_shapes_that_nobody_expects_do_not_break_a_page(system: System, browser: Browser) -> None:
    parts: list[Any] = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "javascript:alert(1)"}},
        {"type": "image_url", "image_url": "data:image/png;base64," + "A" * 500_000},
        {"type": "input_audio", "input_audio": {"data": "x" * 10_000, "format": "wav"}},
        {"type": "unheard_of", "value": [1, {"a": None}]},
    ]
    call = {"id": "c", "type": "function", "function": {"name": "<b>find</b>", "arguments": "{not json"}}
    messages = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
        {"role": "user", "content": "go on"},
    ]
    many = [{"role": "user", "content": f"message {number}"} for number in range(10_000)]
    tags = {f"tag{number}": "v" * 500 for number in range(16)}
    push(
        system,
        [
            record("parts", messages, None),
            record("many", many, "answered"),
            record("tagged", [{"role": "user", "content": "q"}], "a", metadata=tags),
        ],
    )
    page = browser.page("/completions/chatcmpl-parts")
    assert f'src="{PNG}"' in page.body
    assert 'href="https://example.com/a.png"' in page.body
    assert "javascript:alert" not in "".join(page.links)
    assert "{not json" in page.text
    long = browser.page("/completions/chatcmpl-many")
    assert "message 0" in long.text
    assert "message 9999" in long.text
    assert "left out" in long.text
    for path in (
        "/completions",
        "/completions/chatcmpl-parts",
        "/completions/chatcmpl-many",
        "/completions/chatcmpl-tagged",
    ):
        body = browser.page(path).body
        assert is_harmless(body), path
        assert len(body.encode()) < 200_000, path


def judge_card(system: System, eval_id: str, run_id: str) -> None:
    """A judge card with a mistake of each kind, of the eval's first grader."""
    criterion = system.ok("GET", f"/v1/evals/{eval_id}")["testing_criteria"][0]["id"]
    labels = [{"row": number, "human": number % 2 == 0} for number in range(4)]
    source = {"type": "run", "run_id": run_id, "labels": labels}
    system.ok("POST", f"/v1/evals/{eval_id}/calibrations", {"criterion": criterion, "source": source})


def test_hostile_texts_break_no_page_there_is(system: System, browser: Browser) -> None:
    loop.capture(system, "hostile")
    tags = {"tag": "hostile", "split": "train"}
    # The lab trains on each letter, several times. A quarter of a million are too many for a page, too.
    texts = {name: text[:250_000] for name, text in TEXTS.items()}
    spoken = {name: [{"role": "user", "content": text}] for name, text in texts.items()}
    records = [
        record(f"hostile-{name}", messages, texts[name], metadata={**tags, "case": name}, reference="billing")
        for name, messages in spoken.items()
    ]
    twice = [record("hostile-twice", spoken["svg"], TEXTS["svg"], metadata=tags)]
    push(system, [*records, *twice])
    made = loop.completed(system, loop.distill(system, "hostile", name=TEXTS["script"])["id"])
    system.ok("PUT", "/v1/aliases/hostile", {"targets": [{"model": loop.STUDENT}], "why": TEXTS["script"]})
    dropped = f"/datasets/{made['dataset_id']}/rows/chatcmpl-hostile-twice"
    judge_card(system, made["eval_id"], made["runs"]["teacher"])
    starts = (
        "/",
        f"/distillations/{made['id']}",
        dropped,
        *(f"/completions/chatcmpl-hostile-{name}" for name in TEXTS),
    )
    seen = pages(browser, *starts)
    assert not unseen([*seen]) - NEED_MORE
    for path, page in seen.items():
        assert is_harmless(page.body) or not page.headers["content-type"].startswith("text/html"), path
        assert len(page.body.encode()) < 200_000 or page.headers["content-type"].startswith("text/plain"), path
