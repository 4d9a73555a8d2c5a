"""What is pressed on a page is done by the API: keys, tags, deletion, evals, distillations."""

from __future__ import annotations

import json

import pytest

from dashboard.pages import settings as settings_page
from tests.dashboard.browser import Browser
from tests.dashboard.cards import cards
from tests.flow import loop
from tests.flow.system import System


def test_an_empty_stack_shows_how_to_send_the_first_completion(system: System, browser: Browser) -> None:
    page = browser.page("/")
    assert "Nothing has been captured yet" in page.text
    made = browser.post("/first-key")
    key = next(word for word in made.text.split() if word.startswith("sk-sh-key_"))
    assert made.text.count(key) == 4
    assert system.call("GET", "/v1/evals", key=key)[0] == 403
    loop.capture(system, "first", train=1, test=1)
    assert browser.page("/").path.endswith("/completions")


def test_tags_are_edited_and_a_completion_is_deleted(system: System, browser: Browser) -> None:
    loop.capture(system, "tags", train=2, test=1)
    assert "tag=tags" in browser.page("/completions/chatcmpl-tags-0").body
    page = browser.post("/completions/chatcmpl-tags-0/tags", {"tags": "team = mail\r\nnote=a=b\r\n"})
    assert "team=mail" in page.body
    stored = system.ok("GET", "/v1/chat/completions/chatcmpl-tags-0")
    assert stored["metadata"] == {"team": "mail", "note": "a=b"}
    wrong = browser.post("/completions/chatcmpl-tags-0/tags", {"tags": "no equals sign"})
    assert (wrong.status, "name=value" in wrong.text) == (400, True)
    browser.post("/completions/chatcmpl-tags-0/delete")
    assert system.call("GET", "/v1/chat/completions/chatcmpl-tags-0")[0] == 404


def test_keys_are_made_and_revoked(system: System, browser: Browser) -> None:
    browser.page("/settings")
    page = browser.post("/settings/keys", {"name": "<b>robot</b>", "read": "yes", "infer": "yes"})
    assert "shown this once" in page.text
    assert "<b>robot" not in page.body
    robot = next(key for key in system.ok("GET", "/v1/keys")["data"] if "robot" in key["name"])
    assert sorted(robot["scopes"]) == ["infer", "read"]
    browser.post(f"/settings/keys/{robot['id']}/revoke")
    assert system.ok("GET", f"/v1/keys/{robot['id']}")["revoked_at"]
    assert browser.post("/settings/keys", {"name": "nothing"}).status == 400


def test_the_newest_key_can_be_revoked_however_many_there_are(
    system: System, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "stillhouse key list" not in browser.page("/settings").text
    monkeypatch.setattr(settings_page, "_MOST_KEYS", 1)
    newest = system.ok("POST", "/v1/keys", {"name": "newest", "scopes": ["read"]})
    page = browser.page("/settings")
    assert f"/settings/keys/{newest['id']}/revoke" in page.body
    assert "stillhouse key list" in page.text


def test_the_loop_by_buttons_alone(system: System, browser: Browser) -> None:
    """Filter, Evaluate, Distill, approve, look at the verdict, repeat: no other call is made."""
    loop.capture(system, "buttons")
    page = browser.page("/completions?tags=tag%3Dbuttons")
    form = browser.page(next(link for link in page.links if link.startswith("/evals/new")))
    assert "trouble me" in form.text
    fields = {"tags": "tag=buttons", "name": "right queue", **cards("same_text")}
    run = browser.post("/evals/new", fields)
    system.settle()
    assert "100.0%" in browser.page(run.path).text
    eval_id = system.ok("GET", "/v1/evals")["data"][0]["id"]
    browser.page("/distillations/new?tags=tag%3Dbuttons")
    asked = {
        "name": "by buttons",
        "eval_id": eval_id,
        "teacher": loop.TEACHER,
        "student": loop.STUDENT,
        "tags": "tag=buttons",
        "train_tags": "split=train",
        "test_tags": "split=test",
    }
    begun = browser.post("/distillations/new", asked)
    assert begun.status == 200, begun.text
    assert "no price is known" in browser.post("/distillations/new", {**asked, "budget_usd": "5"}).text
    system.settle()
    blocked = browser.page(begun.path)
    assert "Approve" in blocked.text
    assert "test rows cannot carry the claim" in blocked.text
    browser.post(f"{begun.path}/approve")
    system.settle()
    assert "beats its baseline" in browser.page(begun.path).text
    repeated = browser.post(f"{begun.path}/repeat", {"student": loop.STUDENT, "trainer": "default"})
    assert repeated.path != begun.path
    browser.page(repeated.path)
    browser.post(f"{repeated.path}/cancel")
    system.settle()
    assert "cancelled" in browser.page(repeated.path).text


def test_a_form_that_is_pressed_twice_is_done_once(system: System, browser: Browser) -> None:
    loop.capture(system, "twice", train=3, test=0)
    browser.page("/evals/new?tags=tag%3Dtwice")
    form = {"tags": "tag=twice", "name": "twice", **cards("same_text")}
    form |= {"nonce": browser.nonce, "page": browser.where}
    first, second = browser.post("/evals/new", form), browser.post("/evals/new", form)
    assert first.path == second.path
    assert len(system.ok("GET", "/v1/evals")["data"]) == 1
    browser.page("/evals/new?tags=tag%3Dtwice")
    assert browser.post("/evals/new", {**form, "nonce": browser.nonce}).path != first.path


def test_an_eval_whose_run_is_refused_is_not_left_behind(system: System, browser: Browser) -> None:
    loop.capture(system, "refused", train=1, test=0)
    browser.page("/evals/new")
    form = {"name": "refused", **cards("same_text"), "nonce": browser.nonce}
    assert browser.post("/evals/new", {**form, "tags": "no equals sign"}).status == 400
    refused = browser.post("/evals/new", {**form, "tags": "tag=nobody"})
    assert (refused.status, "selects no stored completion" in refused.text) == (400, True), refused.text
    assert system.ok("GET", "/v1/evals")["data"] == []
    assert browser.post("/evals/new", {**form, "tags": "tag=refused"}).status == 200


def test_an_answer_is_corrected_and_the_correction_taken_back(system: System, browser: Browser) -> None:
    loop.capture(system, "corrected", train=1, test=0)
    path = "/completions/chatcmpl-corrected-0"
    assert "\nbilling</textarea>" in browser.page(path).body
    page = browser.post(f"{path}/correction", {"content": "two\r\n<b>lines</b>", "note": "it was late", "by": "Ada"})
    assert "Ada, " in page.text
    assert "<b>lines" not in page.body
    correction = system.ok("GET", "/v1/chat/completions/chatcmpl-corrected-0")["correction"]
    assert correction["message"]["content"] == "two\n<b>lines</b>"
    assert browser.post(f"{path}/correction", {"content": " "}).status == 400
    assert "in place of the answer: " not in browser.post(f"{path}/correction/delete").text
    assert "correction" not in system.ok("GET", "/v1/chat/completions/chatcmpl-corrected-0")


def test_tags_that_lines_cannot_hold_are_shown_and_not_changed(system: System, browser: Browser) -> None:
    loop.capture(system, "odd", train=4, test=0)
    for number, tags in enumerate([{"a": "b\nc=d"}, {"a=b": "c"}, {"a": " b "}, {"a": "b\u200bc"}]):
        system.ok("POST", f"/v1/chat/completions/chatcmpl-odd-{number}", {"metadata": tags})
        page = browser.page(f"/completions/chatcmpl-odd-{number}")
        assert "Save tags" not in page.text
        assert "by the API" in page.text


def test_calls_that_all_failed_are_completions_too(system: System, browser: Browser) -> None:
    failed = loop.record(1, split="train", tag="failed")
    failed["response"] = {"error": {"message": "wrong key", "code": "invalid_api_key"}}
    system.ok("POST", "/v1/captures", json.dumps(failed).encode())
    system.settle()
    page = browser.page("/")
    assert page.path == "/completions?has_error=true"
    assert "the call failed" in page.text


def test_rows_that_could_not_be_graded_are_found_and_are_not_called_failed(system: System, browser: Browser) -> None:
    loop.capture(system, "ungraded", train=2, test=0)
    browser.page("/evals/new")
    form = {"tags": "tag=ungraded", "name": "ungraded", **cards("same_text", reference="item.nothing.here")}
    run = browser.post("/evals/new", form)
    system.settle()
    assert browser.page(f"{run.path}?status=error").body.count('<span class="badge bad">error</span>') == 4
    assert "No row is like this" in browser.page(f"{run.path}?status=pass").text
